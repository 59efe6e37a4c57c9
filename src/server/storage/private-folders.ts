import { chmod, stat } from 'node:fs/promises';
import type { Log } from '../observability/log.ts';

const accessOfOthers = 0o077;
/** Bit of folders such as /tmp, which all users of the machine share. */
const sticky = 0o1000;

/**
 * Makes folders accessible only to their owner, including folders that existed before. Folders that do not exist are skipped. If this is not
 * possible, for example because the folder belongs to a different user, the server runs anyway, and the log contains a warning.
 */
export async function makeFoldersPrivate(paths: readonly string[], log: Pick<Log, 'warn'>): Promise<void> {
  // Windows has access control lists instead of modes.
  if (process.platform === 'win32') return;
  for (const path of paths) {
    const mode = await modeOf(path);
    if (mode === undefined || (mode & accessOfOthers) === 0) continue;
    if ((mode & sticky) === 0) await chmod(path, 0o700).catch(() => undefined);
    // Some file systems ignore the change.
    const now = (await modeOf(path)) ?? 0;
    if ((now & accessOfOthers) !== 0) log.warn({ path, mode: now.toString(8) }, 'Other users can access this folder');
  }
}

async function modeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true ? found.mode & 0o7777 : undefined;
}
