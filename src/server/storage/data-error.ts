import { OtaError } from '../../errors/ota-error.ts';
import { BlobsUnavailableError, StoreUnavailableError } from './store-unavailable.ts';

/**
 * Converts a database or file error, or an outage of the database or the blob store, to an error for users. Any other error is a bug and is returned unchanged.
 *
 * @param path database path for the message
 */
export function dataError(path: string, cause: unknown): unknown {
  if (cause instanceof OtaError) return cause;
  if (cause instanceof StoreUnavailableError) {
    return new OtaError('SERVER_DATA_UNAVAILABLE', { reason: cause.message }, cause);
  }
  const code = codeOf(cause);
  if (code === undefined || !(cause instanceof Error)) return cause;
  // For a damaged file, SQLite's message is more helpful than its code. For other errors, users search for the operating system's code.
  const reason = code.startsWith('SQLITE_') ? `${cause.message} (${code})` : code;
  return new OtaError('SERVER_DATA_UNREADABLE', { path, reason }, cause);
}

/** Returns the outage of the blob store that an error reports; undefined if the error reports something else. */
export function blobsOutageIn(error: unknown): BlobsUnavailableError | undefined {
  if (error instanceof BlobsUnavailableError) return error;
  const isOutage =
    error instanceof OtaError && (error.code === 'S3_UNREACHABLE' || error.code === 'SERVER_DATA_UNAVAILABLE');
  return isOutage ? blobsOutageIn(error.cause) : undefined;
}

/** Returns the code of a system error or SQLite error. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^(SQLITE_|E[A-Z]+$)/.test(code) ? code : undefined;
}
