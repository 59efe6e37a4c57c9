import { type ApiProblem, type ApiProblemCode, apiProblems } from '../../../api/api-problems.ts';
import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { BlobsUnavailableError } from '../../storage/store-unavailable.ts';
import { retryAfterSeconds } from '../retry-after.ts';

/** Converts any error to a `DomainError`, which is sent to the client. */
export function problemOf(error: Error, parts: ServerParts): DomainError {
  return error instanceof DomainError ? error : unexpected(error, parts);
}

/** Returns the response status for an error. */
export function statusOf({ code }: DomainError): (typeof apiProblems)[ApiProblemCode]['status'] {
  return apiProblems[code].status;
}

/** Returns the headers that a response to an error needs. */
export function problemHeaders(problem: DomainError): Readonly<Record<string, string>> {
  const status = statusOf(problem);
  return {
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    ...(status === 503 && { 'Retry-After': String(retryAfterSeconds) }),
  };
}

/** Returns the response body for an error. */
export function bodyOf({ code, message, hint, more }: DomainError): ApiProblem {
  return { error: { code, message, hint, ...more } };
}

/**
 * Reports an outage of the database or of the bucket, which ends without a change to the request, and a full disk, on which the operator can free space.
 * Details of other errors appear only in the log.
 */
function unexpected(error: Error, { log, counters, outage }: ServerParts): DomainError {
  counters.failures++;
  if (outage.note(error)) {
    const part = error instanceof BlobsUnavailableError ? 'bucket' : 'database';
    return new DomainError('unavailable', `the ${part} of the server is unavailable`, 'Try again in a minute.');
  }
  log.error({ err: error }, 'Request failed');
  const code = 'code' in error ? String(error.code) : '';
  if (['SQLITE_FULL', 'ENOSPC', 'EDQUOT'].includes(code)) {
    return new DomainError(
      'disk-full',
      "the server's disk is full; nothing was changed",
      "Free some space on the server's disk.",
    );
  }
  return new DomainError('internal-error', 'internal server error', 'Check the server log.');
}
