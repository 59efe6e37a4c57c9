import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';

/** One kind of machine that the tests run on, such as a slow or busy one. */
export interface Surroundings {
  /** AVA's --timeout: the longest time without a finished test. */
  readonly timeout: string;
  readonly prepare: () => Promise<Prepared>;
}

interface Prepared extends AsyncDisposable {
  /** Command that starts another command in this environment. */
  readonly command: readonly string[];
}

export const surroundings: Readonly<Record<string, Surroundings>> = {
  plain: { timeout: '2m', prepare: async () => prepared([]) },
  busy: { timeout: '4m', prepare: busyCores },
  quarter: { timeout: '15m', prepare: quarterOfACore },
  pinned: { timeout: '4m', prepare: async () => prepared(['taskset', '--cpu-list', '0']) },
};

function prepared(command: readonly string[], end: () => Promise<void> = async () => undefined): Prepared {
  return { command, [Symbol.asyncDispose]: end };
}

async function busyCores(): Promise<Prepared> {
  const loops = Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ['-e', 'for (;;);']));
  return prepared([], async () => {
    for (const loop of loops) loop.kill('SIGKILL');
  });
}

/** Uses a control group if this user may create one, otherwise cpulimit (a Debian package). */
async function quarterOfACore(): Promise<Prepared> {
  const name = `ota-hooks-stress-${process.pid}`;
  const v1 = { root: '/sys/fs/cgroup/cpu', limits: { 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '25000' } };
  const v2 = { root: '/sys/fs/cgroup', limits: { 'cpu.max': '25000 100000' } };
  for (const { root, limits } of [v1, v2]) {
    const folder = `${root}/${name}`;
    if (!isWritable(root) || !(await mkdir(folder).then(...succeeded))) continue;
    const remove = () => rmdir(folder);
    const writes = Object.entries(limits).map(([file, limit]) => writeFile(`${folder}/${file}`, limit));
    if (!(await Promise.all(writes).then(...succeeded))) {
      await remove();
      continue;
    }
    return prepared(['sh', '-c', `echo $$ > ${folder}/cgroup.procs && exec "$@"`, 'sh'], remove);
  }
  return prepared(['cpulimit', '--limit=25', '--include-children', '--']);
}

const succeeded = [() => true, () => false] as const;

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
