import type { FileHandle } from 'node:fs/promises';

/**
 * Flushes a file to the disk. The file handles of Yarn Plug'n'Play have no `sync`, and throw an error without a code. The file is then
 * complete, but a power failure may lose it.
 *
 * @throws the system error
 */
export async function syncFile(file: Pick<FileHandle, 'sync'>): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    if (!(error instanceof Error) || 'code' in error) throw error;
  }
}
