import { readFile } from 'node:fs/promises';
import { OtaError } from '../errors/ota-error.ts';

/**
 * Reads a file that the user specified.
 *
 * @param what description of the file in errors, such as `image` in "No image at build/door.bin"
 * @throws OtaError FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function readNamedFile(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    // Errors from fs are system errors with a code.
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new OtaError('FILE_NOT_FOUND', { path, what }, cause);
    throw new OtaError('FILE_UNREADABLE', { path, reason: code }, cause);
  }
}

/** Reads a file that may not exist. Returns undefined for a missing file. */
export async function readOptionalFile(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readNamedFile(path, 'file');
  } catch (error) {
    if (error instanceof OtaError && error.code === 'FILE_NOT_FOUND') return undefined;
    throw error;
  }
}
