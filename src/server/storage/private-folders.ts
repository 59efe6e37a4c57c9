import { chmod, stat } from 'node:fs/promises';

const accessOfOthers = 0o077;
/** Bit of folders such as /tmp, which all users of the machine share. */
const sticky = 0o1000;

/**
 * Makes folders accessible only to their owner, including folders that existed before. Folders that do not exist are skipped. If this is not
 * possible, for example because the folder belongs to a different user, the server runs anyway.
 *
 * @returns the folders that other users can still access
 */
export async function makeFoldersPrivate(paths: readonly string[]): Promise<readonly string[]> {
  // Windows has access control lists instead of modes.
  if (process.platform === 'win32') return [];
  const open: string[] = [];
  for (const path of paths) {
    const mode = await modeOf(path);
    if (mode === undefined || (mode & accessOfOthers) === 0) continue;
    if ((mode & sticky) === 0) await chmod(path, 0o700).catch(() => undefined);
    // Some file systems ignore the change.
    if (((await modeOf(path)) ?? 0) & accessOfOthers) open.push(path);
  }
  return open;
}

async function modeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true ? found.mode & 0o7777 : undefined;
}
