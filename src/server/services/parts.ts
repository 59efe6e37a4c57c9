import type { Log } from '../observability/log.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { Store } from '../storage/store.ts';
import type { ClockSkew } from './clock-skew.ts';
import type { DeviceRecords } from './devices/device-records.ts';
import type { LastSeen } from './devices/last-seen.ts';
import type { NotEnrolledDevices } from './devices/not-enrolled.ts';
import type { DomainEvents } from './events/domain-events.ts';
import type { Outage } from './outage.ts';
import type { Refusals } from './refusals.ts';
import type { Catalog } from './releases/catalog.ts';
import type { Uploads } from './releases/uploads.ts';
import type { Verifier } from './releases/verifier.ts';
import type { Rollouts } from './rollouts/rollouts.ts';
import type { ServedClock } from './rollouts/service-clock.ts';
import type { Deliveries } from './webhooks/deliveries.ts';

/** Dependencies of the use cases. */
export interface ServiceParts {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly records: DeviceRecords;
  readonly lastSeen: LastSeen;
  readonly notEnrolled: NotEnrolledDevices;
  readonly rollouts: Rollouts;
  readonly verifier: Verifier;
  readonly events: DomainEvents;
  readonly refusals: Refusals;
  readonly uploads: Uploads;
  readonly clock: ServedClock;
  readonly skew: ClockSkew;
  readonly deliveries: Deliveries;
  /** Publisher of an MQTT broker, which works until a signal aborts; undefined if no broker is set. */
  readonly mqtt: { lead(signal: AbortSignal): Promise<void> } | undefined;
  /** Outages of the database and of the bucket, which are logged once. */
  readonly outage: Outage;
  /** Checks the blobs if that was not possible at the start. @throws BlobsUnavailableError, and OtaErrors if the data cannot be used */
  readonly checkBlobs: () => Promise<void>;
  readonly log: Log;
}
