import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** File system in memory that most Linux systems have, apart from the one with the temporary folders. */
const memory = '/dev/shm';
const here = await stat('.');

/** Whether this machine has a second file system for tests. */
export const hasOtherFileSystem = await stat(memory).then(
  ({ dev }) => dev !== here.dev,
  () => false,
);

/** Creates a folder on a different file system than `testFolder`, removed when the test ends. */
export async function folderOnOtherFileSystem(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(memory, 'ota-hooks-test-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}
