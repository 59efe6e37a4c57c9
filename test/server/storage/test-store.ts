import type { Store } from '../../../src/server/storage/store.ts';

/** Store of one test, which can be opened again. */
export interface TestStore {
  readonly store: Store;
  /** Closes the store and opens its data again. */
  reopen(): Promise<Store>;
  /** Opens another, empty store. */
  another(): Promise<Store>;
}
