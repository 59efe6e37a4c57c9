import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peakMemoryMiB } from './measure.ts';
import type { Place } from './place.ts';

const largestImageBytes = 16 * 1024 * 1024;

/** Peak memory for the largest image that an ESP8266 can hold: a 16 MB filesystem image, half of it in use. */
export function* benchMemory({ cli, folder, image, privateKey }: Place) {
  const bin = join(folder, 'filesystem.bin');
  const content = new Uint8Array(largestImageBytes).fill(0xff);
  const fixture = readFileSync(image);
  // Starting at byte 1 keeps the image from being detected as a sketch.
  for (let at = 1; at + fixture.length < largestImageBytes / 2; at += fixture.length) content.set(fixture, at);
  writeFileSync(bin, content);
  const pack = ['pack', bin, '--source', folder, '--kind', 'filesystem', '--private-key', privateKey, '--quiet'];
  yield row('pack of 16 MB, gzip', peakMemoryMiB([cli, ...pack]));
}

function row(name: string, mebibytes: number): string[] {
  return [`${name}, peak memory`, `${mebibytes.toFixed(0)} MiB`, '', '< 150 MB'];
}
