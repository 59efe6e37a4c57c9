import type { Store } from '../../../src/server/storage/store.ts';

/** Store for one test. The test can reopen the store. */
export interface TestStore {
  readonly store: Store;
  /** Closes the store and reopens its data. */
  reopen(): Promise<Store>;
  /** Opens a second, empty store. */
  another(): Promise<Store>;
}
