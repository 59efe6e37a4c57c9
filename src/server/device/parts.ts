import type { CredentialChecker } from '../access/credentials.ts';
import type { TokenBuckets } from '../access/token-buckets.ts';
import type { Catalogue } from '../catalogue.ts';
import type { Counters } from '../operation/counters.ts';
import type { Log } from '../operation/log.ts';
import type { ServiceClock } from '../service-clock.ts';
import type { Store } from '../store/store.ts';
import type { ArtefactBytes } from './artefact-bytes.ts';
import type { DeviceRecords } from './device-records.ts';
import type { Downloads } from './downloads.ts';
import type { LastSeen } from './last-seen.ts';
import type { QuickAnswers } from './quick-answers.ts';

/** What answering devices takes. */
export interface DeviceParts {
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly records: DeviceRecords;
  readonly lastSeen: LastSeen;
  readonly quick: QuickAnswers;
  readonly bytes: ArtefactBytes;
  readonly downloads: Downloads;
  readonly credentials: CredentialChecker;
  /** Of answers that say no, by address. */
  readonly failures: TokenBuckets;
  /** Of devices that were never seen before, by address. */
  readonly newDevices: TokenBuckets;
  readonly trustedProxies: ReadonlySet<string>;
  /** The path under which a web server in front has the blobs; undefined: there is none. */
  readonly accelPath: string | undefined;
  readonly clock: ServiceClock;
  readonly counters: Counters;
  readonly log: Log;
}
