import { OtaError } from '../errors/ota-error.ts';
import { readFailure, readFileOrPipe, readRegular } from './bounded-read.ts';

/**
 * Reads a file that the user specified, within the limits of {@link readFileOrPipe}.
 *
 * @param what description of the file in errors, such as `image` in "No image at build/door.bin"
 * @throws OtaError FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function readNamedFile(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFileOrPipe(path);
  } catch (cause) {
    throw namedReadError(path, what, cause);
  }
}

/** Converts the error of a failed read into an error for users. */
export function namedReadError(path: string, what: string, cause: unknown): OtaError {
  const reason = readFailure(cause);
  if (reason === 'ENOENT' || reason === 'ENOTDIR') return new OtaError('FILE_NOT_FOUND', { path, what }, cause);
  return new OtaError('FILE_UNREADABLE', { path, reason }, cause);
}

/** Reads an optional file that the user did not name. Pipes are not read. Returns undefined for a missing file. */
export async function readOptionalFile(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readRegular(path);
  } catch (cause) {
    const error = namedReadError(path, 'file', cause);
    if (error.code === 'FILE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Reads a text file that a different program created. Returns an empty string if the file cannot be read. */
export async function textOrNothing(path: string): Promise<string> {
  return readRegular(path).then(String, () => '');
}
