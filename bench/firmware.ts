import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuOf, median } from './measure.ts';
import type { Place } from './place.ts';

const program = fileURLToPath(new URL('firmware-costs.ts', import.meta.url));
const runs = 5;

/** Reading, modelling and judging: CPU of the first time in a fresh process, after its start-up. */
export function* benchFirmware(place: Place) {
  yield ['inspect 1 MB, CPU', ms(cost('inspect')), '', '< 30 ms'];
  yield ['its 112 sketch MD5s, CPU', ms(cost('md5s')), '', '<= 250 ms'];
  yield ['model of Updater and eboot, gzip of 1 MB, CPU', ms(cost('model')), '', '< 150 ms'];
  const pack = packCpuMs(place);
  const preflight = cost('preflight');
  const share = (100 * preflight) / (pack - preflight);
  yield ['preflight in pack, CPU', `${ms(preflight)} = +${share.toFixed(1)} %`, `pack: ${ms(pack)}`, '<= +10 %'];
}

function cost(part: string): number {
  return median(Array.from({ length: runs }, () => costOnce(part)));
}

function costOnce(part: string): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import=tsx', program, part], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

/** The whole verb, as a hook runs it. */
function packCpuMs({ cli, folder, image, elf, privateKey, publicKey }: Place): number {
  const bin = join(folder, 'door.bin');
  copyFileSync(image, bin);
  const argv = ['pack', bin, '--source', folder, '--elf', elf, '--private-key', privateKey, '--public-key', publicKey];
  return 1000 * cpuOf([process.execPath, cli, ...argv]);
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
