import type { Store } from '../../../src/server/storage/store.ts';

/** Store for one test; it can be reopened. */
export interface TestStore {
  readonly store: Store;
  /** Closes the store and reopens its data. */
  reopen(): Promise<Store>;
  /** Opens another, empty store. */
  another(): Promise<Store>;
}
