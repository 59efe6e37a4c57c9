import type { TrustedProxies } from '../../auth/client-address.ts';
import type { CredentialChecker } from '../../auth/credentials.ts';
import type { TokenBuckets } from '../../auth/token-buckets.ts';
import type { Counters } from '../../observability/counters.ts';
import type { NewDevices } from '../../services/devices/new-devices.ts';
import type { ServiceParts } from '../../services/parts.ts';
import type { ArtifactBytes } from './artifact-bytes.ts';
import type { Downloads } from './downloads.ts';

/** Dependencies of the device handler. */
export interface DeviceParts
  extends Pick<
    ServiceParts,
    'store' | 'blobs' | 'catalog' | 'records' | 'lastSeen' | 'notEnrolled' | 'clock' | 'log' | 'outage'
  > {
  readonly bytes: ArtifactBytes;
  readonly downloads: Downloads;
  readonly credentials: CredentialChecker;
  /** Rate limit for rejected requests, by address. */
  readonly failures: TokenBuckets;
  readonly newDevices: NewDevices;
  readonly isTrustedProxy: TrustedProxies;
  /** Path at which a reverse proxy serves the blobs; undefined if no proxy serves them. */
  readonly accelPath: string | undefined;
  readonly counters: Counters;
}
