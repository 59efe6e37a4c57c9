import { copyFile, open, rename, rm } from 'node:fs/promises';

/**
 * Moves a file, also to a different file system. Only a rename within one file system is atomic, so a flushed copy gets the final name.
 * A partial file is never visible under this name.
 */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    await moveCopy(from, to);
  }
}

/** Returns the name of the copy while a file is moved to a different file system. */
export function unfinishedCopyOf(path: string): string {
  return `${path}.part`;
}

async function moveCopy(from: string, to: string): Promise<void> {
  const copy = unfinishedCopyOf(to);
  try {
    await copyFile(from, copy);
    const file = await open(copy, 'r+');
    await file.sync().finally(() => file.close());
    await rename(copy, to);
  } catch (error) {
    await rm(copy, { force: true }).catch(() => undefined);
    throw error;
  }
  await rm(from);
}
