import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const memory = '/dev/shm';
/** The test folders of a full run take 110 MB at most at one time. Containers often provide only 64 MB of shared memory. */
const neededBytes = 1024 ** 3;

/**
 * Returns a folder in memory for test folders, if there is one with enough space from which programs can run. The tests start hundreds of
 * servers, and each waits for the disk several times: on two cores, the tests of the server take 23.7 s in memory and 26.5 s on the disk.
 */
export function memoryFolder() {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= neededBytes && runsPrograms() ? memory : undefined;
  } catch {
    return undefined;
  }
}

/** Some containers mount the folder so that programs in it cannot be executed; tests execute their own. */
function runsPrograms() {
  const folder = mkdtempSync(join(memory, 'ota-hooks-test-'));
  try {
    const program = join(folder, 'program');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    return spawnSync(program).status === 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
