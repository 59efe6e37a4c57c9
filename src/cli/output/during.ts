import { percentText } from '../../core/model/quantity-text.ts';
import type { Io } from '../io.ts';
import { bar, barColumns, fitted } from './bar.ts';
import type { OutputOptions } from './report.ts';
import { clearedLine, outputLine } from './terminal-text.ts';

/** Progress of a task: a fraction from 0 to 1, or a text if the total is unknown. */
type TaskProgress = number | string;

/** Updates the displayed progress of a task. */
export type ShowProgress = (progress: TaskProgress) => void;

/** Task that may take a long time. */
export interface LongTask {
  /** Description of a task, such as "compressing door.ino.bin". */
  readonly what: string;
  /** Expected duration of a task in milliseconds, if known. */
  readonly lastsMs?: number;
}

const firstBarMs = 300;
const redrawMs = 100;
/** Tasks that take less than a second print nothing; most hooks finish in that time. */
const firstLineMs = 1000;
const nextLineMs = 10_000;

/** Runs a task and shows its progress. A terminal shows a bar that is cleared at the end. A log contains a line every ten seconds. */
export async function during<Value>(
  task: LongTask,
  io: Io,
  { quiet }: OutputOptions,
  work: (show: ShowProgress) => Promise<Value>,
): Promise<Value> {
  let progress: TaskProgress | undefined;
  const show: ShowProgress = (current) => {
    progress = current;
  };
  if (quiet === true) return work(show);
  const startedAt = performance.now();
  const stop = (io.fancy ? showBar : showLines)(task, io, () => {
    const elapsedMs = performance.now() - startedAt;
    if (progress !== undefined || task.lastsMs === undefined) return { progress, elapsedMs };
    return { progress: Math.min(1, elapsedMs / task.lastsMs), elapsedMs };
  });
  try {
    return await work(show);
  } finally {
    stop();
  }
}

interface TaskState {
  readonly progress: TaskProgress | undefined;
  readonly elapsedMs: number;
}

/**
 * Starts the progress display and returns a function that stops it. Its timers do not keep the process running, so that a task that can never
 * end is reported instead of displayed forever.
 */
type Display = (task: LongTask, io: Io, state: () => TaskState) => () => void;

const showBar: Display = ({ what }, io, state) => {
  let isDrawn = false;
  const drawing = setInterval(() => {
    const current = state();
    if (current.elapsedMs < firstBarMs) return;
    io.stderr.write([clearedLine, fitted(`[${barOf(current)}] ${textOf(current)}  ${what}`, io.stderr)]);
    isDrawn = true;
  }, redrawMs);
  drawing.unref();
  return () => {
    clearInterval(drawing);
    if (isDrawn) io.stderr.write([clearedLine]);
  };
};

const showLines: Display = ({ what }, io, state) => {
  const first = setTimeout(() => io.stderr.write(outputLine(`${what} …`)), firstLineMs);
  const next = setInterval(() => io.stderr.write(outputLine(`${what} … ${textOf(state())}`)), nextLineMs);
  first.unref();
  next.unref();
  return () => {
    clearTimeout(first);
    clearInterval(next);
  };
};

/** Draws a progress bar, or a moving marker if the total is unknown. */
function barOf({ progress, elapsedMs }: TaskState): string {
  if (typeof progress === 'number') return bar(progress);
  const at = Math.floor(elapsedMs / redrawMs) % barColumns;
  return `${'.'.repeat(at)}#${'.'.repeat(barColumns - at - 1)}`;
}

function textOf({ progress, elapsedMs }: TaskState): string {
  if (typeof progress === 'number') return percentText(progress);
  return progress ?? `${Math.floor(elapsedMs / 1000)} s`;
}
