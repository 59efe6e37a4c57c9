import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, cpuOfBlock, median } from './measure.ts';
import type { Place } from './place.ts';

const program = fileURLToPath(new URL('firmware-costs.ts', import.meta.url));
const runs = 5;

/** Reading, modeling and checking firmware: CPU time of the first run in a fresh process, excluding start-up. */
export function* benchFirmware(place: Place) {
  yield ['inspect 1 MB, CPU', ms(cost('inspect')), '', '< 30 ms'];
  yield ['its 112 sketch MD5s, CPU', ms(cost('md5s')), '', '<= 250 ms'];
  yield ['model of Updater and eboot, gzip of 1 MB, CPU', ms(cost('model')), '', '< 150 ms'];
  yield preflightInPack(place);
}

/** Measures the two runs alternately, so that a change in the machine's speed affects both. */
function preflightInPack(place: Place): string[] {
  const pack = packDoor(place);
  const pairs = Array.from({ length: runs }, () => ({
    pack: 1000 * cpuOfBlock(pack),
    preflight: median(Array.from({ length: 3 }, () => costOnce('preflight'))),
  }));
  const [packMs, preflightMs] = [median(pairs.map((pair) => pair.pack)), median(pairs.map((pair) => pair.preflight))];
  const share = median(pairs.map((pair) => (100 * pair.preflight) / (pair.pack - pair.preflight)));
  return ['preflight in pack, CPU', `${ms(preflightMs)} = +${share.toFixed(1)} %`, `pack: ${ms(packMs)}`, '<= +10 %'];
}

function cost(part: string): number {
  return median(Array.from({ length: runs }, () => costOnce(part)));
}

function costOnce(part: string): number {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import=tsx', program, part], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

/** The whole command, as a hook runs it. */
function packDoor({ cli, folder, image, elf, privateKey, publicKey }: Place): Command {
  const bin = join(folder, 'door.bin');
  copyFileSync(image, bin);
  const argv = ['pack', bin, '--source', folder, '--elf', elf, '--private-key', privateKey, '--public-key', publicKey];
  return [process.execPath, cli, ...argv];
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
