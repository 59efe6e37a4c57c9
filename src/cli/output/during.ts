import type { Io } from '../io.ts';
import type { OutputOptions } from './report.ts';

/** Reports progress: a share from 0 to 1, or a text if the total is unknown. */
export type Tell = (far: number | string) => void;

/** A task that may take long. */
export interface Long {
  /** Description of the task, such as "compressing door.ino.bin". */
  readonly what: string;
  /** Expected duration in milliseconds, if known. */
  readonly lastsMs?: number;
}

const firstBarMs = 300;
const redrawMs = 100;
/** A task that ends within a second, such as the work of most hooks, needs no line. */
const firstLineMs = 1000;
const nextLineMs = 10_000;
const barColumns = 24;
/** Width of the narrowest common terminal; a longer line would wrap and could not be redrawn. */
const columns = 79;

/** Runs a task and shows its progress: on a terminal as a bar that disappears at the end, elsewhere as a line now and then. */
export async function during<Value>(
  long: Long,
  io: Io,
  { quiet }: OutputOptions,
  work: (tell: Tell) => Promise<Value>,
): Promise<Value> {
  let far: number | string | undefined;
  const tell: Tell = (now) => {
    far = now;
  };
  if (quiet === true) return work(tell);
  const begun = performance.now();
  const stop = (io.fancy ? showBar : showLines)(long, io, () => {
    const lastedMs = performance.now() - begun;
    if (far !== undefined || long.lastsMs === undefined) return { far, lastedMs };
    return { far: Math.min(1, lastedMs / long.lastsMs), lastedMs };
  });
  try {
    return await work(tell);
  } finally {
    stop();
  }
}

type Look = () => { readonly far: number | string | undefined; readonly lastedMs: number };
/** Starts the display; the returned function stops it. */
type Show = (long: Long, io: Io, look: Look) => () => void;

const showBar: Show = ({ what }, io, look) => {
  let isDrawn = false;
  const drawing = setInterval(() => {
    const { far, lastedMs } = look();
    if (lastedMs < firstBarMs) return;
    const line = `[${bar(far, lastedMs)}] ${howFar(far, lastedMs)}  ${what}`;
    io.stderr.write(`\r\u001b[K${line.length > columns ? `${line.slice(0, columns - 1)}…` : line}`);
    isDrawn = true;
  }, redrawMs);
  return () => {
    clearInterval(drawing);
    if (isDrawn) io.stderr.write('\r\u001b[K');
  };
};

const showLines: Show = ({ what }, io, look) => {
  const first = setTimeout(() => io.stderr.write(`${what} …\n`), firstLineMs);
  const next = setInterval(() => {
    const { far, lastedMs } = look();
    io.stderr.write(`${what} … ${howFar(far, lastedMs)}\n`);
  }, nextLineMs);
  return () => {
    clearTimeout(first);
    clearInterval(next);
  };
};

/** Draws a bar; if the total is unknown, a moving mark. */
function bar(far: number | string | undefined, lastedMs: number): string {
  if (typeof far !== 'number') {
    const at = Math.floor(lastedMs / redrawMs) % barColumns;
    return `${'.'.repeat(at)}#${'.'.repeat(barColumns - at - 1)}`;
  }
  const filled = Math.floor(far * barColumns);
  return `${'#'.repeat(filled)}${'.'.repeat(barColumns - filled)}`;
}

function howFar(far: number | string | undefined, lastedMs: number): string {
  if (typeof far === 'number') return `${Math.floor(far * 100)} %`;
  return far ?? `${Math.floor(lastedMs / 1000)} s`;
}
