import { OtaError } from '../errors/ota-error.ts';

/**
 * Returns the catalog error to report for an error; undefined for a bug. Too many open files can make any operation fail, even loading a
 * module, so this error is handled here and not at each operation.
 */
export function knownError(error: unknown): OtaError | undefined {
  if (error instanceof OtaError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EMFILE' || code === 'ENFILE' ? new OtaError('OPEN_FILES_LIMIT', {}, error) : undefined;
}
