import type { Io } from '../io.ts';
import type { OutputOptions } from './report.ts';

/** How far something is: a share from 0 to 1, or, where nobody knows the whole, so far. */
export type Tell = (far: number | string) => void;

/** Something that may take long. */
export interface Long {
  /** What is done: "compressing door.ino.bin". */
  readonly what: string;
  /** Where it is known beforehand. */
  readonly lastsMs?: number;
}

const firstBarMs = 300;
const redrawMs = 100;
/** What is over within a second, such as what a hook does, is not worth a line. */
const firstLineMs = 1000;
const nextLineMs = 10_000;
const barColumns = 24;
/** The narrowest terminal that is common; a longer line would wrap, and could not be drawn over. */
const columns = 79;

/** Shows that something goes on, and how far it is: a bar on a terminal, which goes when it is over; elsewhere a line now and then. */
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
/** @returns what ends it */
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

/** Where nobody knows the whole, something that moves. */
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
