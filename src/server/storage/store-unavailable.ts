/** Error of every store method while the database cannot be reached, is shutting down, or accepts no writes. The caller may try again later. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}
