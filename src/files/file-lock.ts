import { open, rm, stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { OtaError } from '../errors/ota-error.ts';
import { writeError } from './write.ts';

/** Age from which a lock was left behind by a process that was killed, in milliseconds. Writing takes a few milliseconds. */
const abandonedLockMs = 10_000;
const lockPollMs = 10;

/**
 * Runs a function while no other process runs one for the same file.
 *
 * @throws OtaError FILE_LOCKED if a process was killed while it removed an abandoned lock; FILE_UNWRITABLE,
 *   FOLDER_MISSING; the errors of `run`
 */
export async function withFileLock<Result>(path: string, run: () => Promise<Result>): Promise<Result> {
  const lock = `${path}.lock`;
  while (!(await created(lock))) {
    if (await isAbandoned(lock)) await removeAbandoned(path, lock);
    else await wait(lockPollMs);
  }
  try {
    return await run();
  } finally {
    await rm(lock, { force: true });
  }
}

/**
 * Removes an abandoned lock. Several processes can find it, and a slow one must not remove the lock that the next process has created in the
 * meantime. Therefore only the process that holds a second lock removes the first one, after it has found it abandoned again.
 *
 * @throws OtaError FILE_LOCKED
 */
export async function removeAbandoned(path: string, lock: string): Promise<void> {
  const removal = `${lock}.removal`;
  if (await created(removal)) {
    try {
      if (await isAbandoned(lock)) await rm(lock, { force: true });
    } finally {
      await rm(removal, { force: true });
    }
  } else if (await isAbandoned(removal)) {
    throw new OtaError('FILE_LOCKED', { path, lock: removal });
  } else {
    await wait(lockPollMs);
  }
}

/** A lock from the future was left behind before the clock was set back. */
async function isAbandoned(lock: string): Promise<boolean> {
  const found = await stat(lock).catch(() => undefined);
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) > abandonedLockMs;
}

async function created(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw writeError(path, error);
  }
}
