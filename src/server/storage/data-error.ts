import { OtaError } from '../../errors/ota-error.ts';

/**
 * Converts an error of the database or of its files to an error for users. Any other error is a bug and returned unchanged.
 *
 * @param path database path for the message
 */
export function dataError(path: string, cause: unknown): unknown {
  if (cause instanceof OtaError) return cause;
  const code = codeOf(cause);
  if (code === undefined || !(cause instanceof Error)) return cause;
  // SQLite explains a damaged file better than its code does; users search for the codes of the operating system.
  const reason = code.startsWith('SQLITE_') ? `${cause.message} (${code})` : code;
  return new OtaError('SERVER_DATA_UNREADABLE', { path, reason }, cause);
}

/** Returns the code of a system error or of SQLite. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^(SQLITE_|E[A-Z]+$)/.test(code) ? code : undefined;
}
