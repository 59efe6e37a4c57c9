import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A program as its argv list. */
export type Command = readonly [program: string, ...argv: string[]];

/** Consecutive runs of one command. Several are needed, because the kernel counts the CPU time of children in ticks of 10 ms. */
const runsPerBlock = 10;
const blocks = 5;

/** CPU seconds (user and system) of one run of each command, measured alternately so that a change in the machine's speed affects both. */
export function cpuSideBySide(ours: Command, reference: Command): { ours: number; reference: number } {
  run(ours);
  run(reference);
  const spent = { ours: [] as number[], reference: [] as number[] };
  for (let block = 0; block < blocks; block += 1) {
    spent.ours.push(cpuOfBlock(ours));
    spent.reference.push(cpuOfBlock(reference));
  }
  return { ours: median(spent.ours), reference: median(spent.reference) };
}

/** Peak resident memory of a Node.js run, in MiB, as reported by the operating system. */
export function peakMemoryMiB(argv: readonly string[]): number {
  const preload = new URL('peak-memory.mjs', import.meta.url).href;
  const { stderr, status } = spawnSync(process.execPath, [`--import=${preload}`, ...argv], { encoding: 'utf8' });
  const kibibytes = /peak (\d+)/.exec(stderr)?.[1];
  if (status !== 0 || kibibytes === undefined) throw new Error(`${argv.join(' ')} failed: ${stderr}`);
  return Number(kibibytes) / 1024;
}

/** Returns whether a reference program is installed. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** CPU seconds of one run, as the mean of consecutive runs. */
export function cpuOfBlock(command: Command): number {
  const before = childrenCpuSeconds();
  for (let count = 0; count < runsPerBlock; count += 1) run(command);
  return (childrenCpuSeconds() - before) / runsPerBlock;
}

function run([program, ...argv]: Command): void {
  const { status, stderr, error } = spawnSync(program, argv, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')} failed: ${stderr}`);
}

const ticksPerSecond = 100;

/** cutime and cstime of proc(5): the CPU time of all children that have ended. */
function childrenCpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}
