import type { Cost } from './race.ts';

/** Measurement, our value, ratio of our value to the peer's, the peer's value, and the target. */
export type Row = readonly [what: string, ours: string, ratio: string, peer: string, target: string];

export function formatTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => `| ${row.join(' | ')} |`);
  return ['| what | ours | ratio | reference | target |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}

export function microseconds({ cpuMicros }: Pick<Cost, 'cpuMicros'>): string {
  return `${cpuMicros.toFixed(0)} us`;
}

export function perSecond({ perSecond: count }: Cost): string {
  return `${count.toFixed(0)}/s`;
}

export function ratio(ours: number, theirs: number): string {
  return `${(ours / theirs).toFixed(2)}x`;
}

export function indices(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
