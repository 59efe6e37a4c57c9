import type { Store } from '../../../src/server/storage/store.ts';

/** Store for one test. The test can reopen the store. */
export interface TestStore {
  readonly store: Store;
  /** Store of a second process with the same data. The same store, if the data can have only one process. */
  readonly peer: Store;
  /** Closes the store and reopens its data. */
  reopen(): Promise<Store>;
  /** Opens a second, empty store. */
  another(): Promise<Store>;
}
