import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

/** A program with its child processes. */
export interface Measured {
  readonly pid: number;
  /** User and system time of the program and its child processes, in seconds. */
  cpuSeconds(): number;
  /** Resident memory of the program and its child processes, in MB (10^6 bytes). */
  memoryMb(): number;
}

/** A program started by a benchmark. */
export interface Running extends Measured {
  /** Standard output of the program. */
  readonly stdout: NodeJS.ReadableStream | null;
  stop(): Promise<void>;
}

const ticksPerSecond = 100;
const patienceMs = 10_000;

/** Starts a program by its argv list and discards its stderr. */
export function start(program: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} could not be started`);
  return { ...watch(pid), stdout: child.stdout, stop: () => stop(child) };
}

/** Measures a running program. */
export function watch(pid: number): Measured {
  const sum = (of: (pid: number) => number) => familyOf(pid).reduce((total, each) => total + of(each), 0);
  return { pid, cpuSeconds: () => sum(cpuSecondsOf), memoryMb: () => sum(memoryMbOf) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const last = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await ended;
  clearTimeout(last);
}

/** A process and all its descendants. */
function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    if (stat !== undefined) parents.set(Number(name), Number(stat[1]));
  }
  const family = new Set([pid]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const [child, parent] of parents) if (family.has(parent)) family.add(child);
  }
  return [...family];
}

/**
 * proc(5), the fields after the name: state, parent, …; utime and stime are the 12th and 13th of them. The next two are those of the child
 * processes that have ended, such as connections of PostgreSQL.
 */
function cpuSecondsOf(pid: number): number {
  const times = statOf(pid)?.slice(11, 15) ?? [];
  return times.reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

function statOf(pid: number): string[] | undefined {
  return readProc(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ');
}

function memoryMbOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readProc(pid, 'status') ?? '')?.[1] ?? 0;
  return (Number(kibibytes) * 1024) / 1e6;
}

/** Reads a file of a process that may have ended. */
function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return undefined;
  }
}
