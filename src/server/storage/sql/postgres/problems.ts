import { OtaError } from '../../../../errors/ota-error.ts';
import { StoreUnavailableError } from '../../store-unavailable.ts';

/** Message of the pg package for a statement that exceeds `query_timeout`. Its error has no code. */
const queryTimeout = 'Query read timeout';
/** Number of times that a transaction runs if it conflicts with others. */
const mostTries = 4;
/** SQLSTATE codes of transactions that may succeed if they run again: serialization failure, deadlock, and a lock that took too long. */
const retryable = ['40001', '40P01', '55P03'];
/**
 * Beginnings of the SQLSTATE codes of an outage: lost connections, insufficient resources such as a full disk or too many connections, a
 * server that shuts down or starts, a standby that accepts no writes, statements that took too long, system errors.
 */
const outages = ['08', '53', '57P', '25006', '57014', '58', '25P03'];

/**
 * Runs a transaction, or a statement outside of transactions, again if it conflicts with others. Statements also conflict with migrations,
 * which lock whole tables.
 */
export async function retried<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (cause) {
      if (!retryable.includes(sqlState(cause) ?? '')) throw cause;
      if (tries === mostTries)
        throw new StoreUnavailableError(`the database is too busy: ${reasonOf(cause)}`, { cause });
    }
  }
}

/** Converts an error of a connection or a statement to a StoreUnavailableError, unless it is a bug. */
export function storeError(cause: unknown): unknown {
  if (cause instanceof StoreUnavailableError) return cause;
  const code = sqlState(cause);
  if (code !== undefined && !outages.some((start) => code.startsWith(start))) return cause;
  return new StoreUnavailableError(`the database cannot be used: ${reasonOf(cause)}`, { cause });
}

/** Returns whether the connection was lost, as opposed to a statement that did not respond in time. */
export function isLost(error: unknown): boolean {
  const code = sqlState(error);
  if (code !== undefined) return code.startsWith('57P');
  return !(error instanceof Error && error.message === queryTimeout);
}

/** Returns whether the connection cannot be used after this error. */
export function breaksConnection(error: unknown): boolean {
  return sqlState(error) === undefined;
}

/**
 * Converts an error while the store opens to an error for users. Any other error is a bug and is returned unchanged.
 *
 * @param location database URL without a password
 */
export function openingError(location: string, error: unknown): unknown {
  const isOutage = error instanceof StoreUnavailableError;
  const cause = isOutage ? error.cause : error;
  const code = sqlState(cause);
  if (!(cause instanceof Error) || (code === undefined && !isOutage)) return error;
  const reason = reasonOf(cause);
  if (code === '3D000') return new OtaError('DATABASE_MISSING', { location }, cause);
  if (code?.startsWith('28') || cause.message.includes('password must be a string')) {
    return new OtaError('DATABASE_LOGIN_REJECTED', { location, reason: loginReason(code, reason) }, cause);
  }
  if (code === '25006') return new OtaError('DATABASE_READ_ONLY', { location }, cause);
  if (code === undefined || code.startsWith('08') || code.startsWith('57P')) {
    return new OtaError('DATABASE_UNREACHABLE', { location, reason }, cause);
  }
  return new OtaError('DATABASE_REJECTED', { location, reason }, cause);
}

function loginReason(code: string | undefined, reason: string): string {
  return code === undefined ? 'no password was given' : reason;
}

/** Returns the SQLSTATE of an error from the server; undefined for any other error, such as a lost connection. */
function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // A code such as EPIPE also has five characters, but no digit.
  return typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && sqlState(error) === undefined ? error.code : undefined;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.message : String(error);
}
