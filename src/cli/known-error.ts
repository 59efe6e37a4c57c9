import { OtaError } from '../errors/ota-error.ts';

/**
 * Returns the error for users that an error stands for; undefined if it is a bug. Too many open files can make anything fail, even loading a
 * module, so this is the one place where it is recognized.
 */
export function knownError(error: unknown): OtaError | undefined {
  if (error instanceof OtaError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'EMFILE' || code === 'ENFILE' ? new OtaError('OPEN_FILES_LIMIT', {}, error) : undefined;
}
