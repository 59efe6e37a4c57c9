import type { Store } from '../../src/server/storage/store.ts';

/** A store of one test, as its makers give it. */
export interface TestStore {
  readonly store: Store;
  /** Closes it and opens what it left again. */
  reopen(): Promise<Store>;
  /** Another one, with nothing in it. */
  another(): Promise<Store>;
}
