import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from './measure.ts';
import type { Place } from './place.ts';

/** Compressed size of the fixture image, compared with common tools. */
export function* benchSizes({ cli, folder, image }: Place) {
  const ours = (compression: string) => {
    const bin = join(folder, `${compression}.bin`);
    copyFileSync(image, bin);
    run(process.execPath, [cli, 'pack', bin, '--source', folder, '--compression', compression, '--quiet']);
    return readFileSync(`${bin}.gz`).length;
  };
  yield compare('gzip', ours('gzip'), 'gzip', ['-9', '-n', '-c', image]);
  const zopfli = ours('zopfli');
  yield compare('zopfli', zopfli, 'zopfli', ['--i15', '-c', image], '<= +0.1 %');
  yield compare('zopfli', zopfli, 'libdeflate-gzip', ['-12', '-c', image]);
}

function compare(name: string, ours: number, program: string, argv: string[], target = ''): string[] {
  const label = `${name}, size of the fixture`;
  if (!isInstalled(program)) return [label, `${ours} bytes`, `${program}: not installed`, target];
  const reference = run(program, argv).length;
  const difference = (100 * (ours - reference)) / reference;
  return [
    label,
    `${ours} bytes = ${difference < 0 ? '' : '+'}${difference.toFixed(2)} %`,
    `${[program, argv[0]].join(' ')}: ${reference} bytes`,
    target,
  ];
}

function run(program: string, argv: string[]): Buffer {
  const { stdout, status, stderr } = spawnSync(program, argv, { maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`${program} ${argv.join(' ')} failed: ${stderr}`);
  return stdout;
}
