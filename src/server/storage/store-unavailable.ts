/**
 * Error of every store method while the database cannot be reached, is shutting down, or accepts no writes. The caller may try again later.
 */
export class StoreUnavailableError extends Error {
  override readonly name: string = 'StoreUnavailableError';
}

/** Error of every blob store method while the blob store cannot be reached or rejects requests. */
export class BlobsUnavailableError extends StoreUnavailableError {
  override readonly name = 'BlobsUnavailableError';
}
