import { OtaError } from '../errors/ota-error.ts';

/**
 * Returns the catalog error to report for an error; undefined for a bug. Too many open files can make any operation fail, even loading a
 * module, so this error is handled here and not at each operation. The same applies to a library that is missing because the installation is
 * not complete, or because Yarn Plug'n'Play has not put it into node_modules.
 */
export function knownError(error: unknown): OtaError | undefined {
  if (error instanceof OtaError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const library = code === 'ERR_MODULE_NOT_FOUND' ? missingLibrary(error) : undefined;
  if (library !== undefined) return new OtaError('LIBRARY_MISSING', { library }, error);
  return code === 'EMFILE' || code === 'ENFILE' ? new OtaError('OPEN_FILES_LIMIT', {}, error) : undefined;
}

/** Returns the name of the package that Node.js did not find; undefined if a file is missing. */
function missingLibrary(error: unknown): string | undefined {
  return error instanceof Error ? /^Cannot find package '([^']+)'/.exec(error.message)?.[1] : undefined;
}
