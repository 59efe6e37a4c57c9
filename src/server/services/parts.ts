import type AsyncLock from 'async-lock';
import type { Log } from '../observability/log.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { Store } from '../storage/store.ts';
import type { DeviceRecords } from './devices/device-records.ts';
import type { LastSeen } from './devices/last-seen.ts';
import type { DomainEvents } from './events/domain-events.ts';
import type { Refusals } from './refusals.ts';
import type { Catalog } from './releases/catalog.ts';
import type { Uploads } from './releases/uploads.ts';
import type { Verifier } from './releases/verifier.ts';
import type { Rollouts } from './rollouts/rollouts.ts';
import type { ServiceClock } from './rollouts/service-clock.ts';

/** Dependencies of the use cases. */
export interface ServiceParts {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly records: DeviceRecords;
  readonly lastSeen: LastSeen;
  readonly rollouts: Rollouts;
  readonly verifier: Verifier;
  /** Lock for publications. The lock also prevents the removal of unreferenced blobs during a publication. */
  readonly publishing: AsyncLock;
  readonly events: DomainEvents;
  readonly refusals: Refusals;
  readonly uploads: Uploads;
  readonly clock: ServiceClock;
  readonly log: Log;
}
