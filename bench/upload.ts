import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Race {
  readonly rttMs: number;
  readonly windowBytes: number;
  readonly lockStep: number;
  readonly streaming: number;
  readonly gzip: number;
}

/** Target speed-up over the lock-step loop, by receive window and round-trip time. */
const targets: Readonly<Record<string, number>> = {
  '5840/10': 1.8,
  '5840/50': 2.7,
  '5840/200': 3.2,
  '11584/50': 4.5,
  '11584/200': 6,
};

/** Uploads of 400 KB to virtual devices, compared with the espota.py loop on the same links. */
export function* benchUpload() {
  const program = fileURLToPath(new URL('upload-races.ts', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import=tsx', program], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  // upload-races.ts prints one JSON document.
  const races = JSON.parse(stdout) as Race[];
  for (const race of races) yield row(race);
  for (const race of races.filter(({ rttMs }) => rttMs >= 50)) yield gzipRow(race);
}

function row({ rttMs, windowBytes, lockStep, streaming }: Race): string[] {
  const target = targets[`${windowBytes}/${rttMs}`] ?? 1;
  return [
    `upload of 400 KB, RTT ${rttMs} ms, window ${windowBytes}`,
    `${streaming.toFixed(1)} s = ${(lockStep / streaming).toFixed(1)}x faster`,
    `lock-step: ${lockStep.toFixed(1)} s`,
    `>= ${target}x`,
  ];
}

function gzipRow({ rttMs, windowBytes, streaming, gzip }: Race): string[] {
  return [
    `the same with gzip, RTT ${rttMs} ms, window ${windowBytes}`,
    `${gzip.toFixed(1)} s = ${(streaming / gzip).toFixed(1)}x faster`,
    `raw: ${streaming.toFixed(1)} s`,
    '>= 1.3x',
  ];
}
