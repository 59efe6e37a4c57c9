import type { ServerParts } from '../parts.ts';
import { ApiError } from './api-error.ts';

/** What is told of an error. */
export function problemOf(error: Error, parts: ServerParts): ApiError {
  return error instanceof ApiError ? error : unexpected(error, parts);
}

/** A full disk is the owner's to mend; anything else is a bug of ours, and its details stay in the log. */
function unexpected(error: Error, { log, counters }: ServerParts): ApiError {
  counters.failures++;
  log.error({ err: error }, 'a request could not be done');
  const code = 'code' in error ? String(error.code) : '';
  if (['SQLITE_FULL', 'ENOSPC', 'EDQUOT'].includes(code)) {
    return new ApiError('disk-full', 'the disk of the server is full; nothing was changed', 'Free some space on it.');
  }
  return new ApiError('internal-error', 'the server made a mistake; nothing was changed', 'Its log says more.');
}
