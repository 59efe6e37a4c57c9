import { copyFile, open, rename, rm } from 'node:fs/promises';
import { syncFile } from './sync.ts';

/**
 * Moves a file, even to a different file system. In that case, the file is first copied under a temporary name and flushed, because only a
 * rename within one file system is atomic. A partial file is never visible under the final name.
 */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    await moveCopy(from, to);
  }
}

/** Returns the temporary name of the copy that {@link moveFile} makes. */
export function unfinishedCopyOf(path: string): string {
  return `${path}.part`;
}

async function moveCopy(from: string, to: string): Promise<void> {
  const copy = unfinishedCopyOf(to);
  try {
    await copyFile(from, copy);
    const file = await open(copy, 'r+');
    await syncFile(file).finally(() => file.close());
    await rename(copy, to);
  } catch (error) {
    await rm(copy, { force: true }).catch(() => undefined);
    throw error;
  }
  await rm(from);
}
