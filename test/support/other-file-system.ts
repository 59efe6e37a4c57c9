import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ExecutionContext } from 'ava';

/** Folders that are usually on different file systems: the in-memory file system of most Linux systems, and the repository. */
const candidates = ['/dev/shm', resolve('build')];
const { dev: usual } = await stat(tmpdir());
const others = await Promise.all(
  candidates.map((folder) =>
    stat(folder).then(
      ({ dev }) => (dev === usual ? undefined : folder),
      () => undefined,
    ),
  ),
);
const other = others.find((folder) => folder !== undefined);

/** True if this machine has a second file system for tests. */
export const hasOtherFileSystem = other !== undefined;

/** Creates a folder on a different file system than `testFolder`, removed when the test ends. */
export async function folderOnOtherFileSystem(t: ExecutionContext): Promise<string> {
  const parent = join(other ?? tmpdir(), 'ota-hooks-test');
  await mkdir(parent, { recursive: true });
  const path = await mkdtemp(join(parent, 'other-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}
