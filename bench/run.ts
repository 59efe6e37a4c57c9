/**
 * `npm run bench`: compares ota-hooks with the reference tools in one run. Only the ratios are meaningful, since machines differ. Linux
 * only. Arguments select parts: `npm run bench -- firmware`.
 */
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchFirmware } from './firmware.ts';
import { benchFleet } from './fleet.ts';
import { benchHooks } from './hooks.ts';
import { benchMemory } from './memory.ts';
import { benchPackage } from './package.ts';
import type { Place } from './place.ts';
import { benchSizes } from './sizes.ts';
import { benchUpload } from './upload.ts';
import { benchVerification } from './verification.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ota-hooks-bench-'));
const place: Place = {
  root,
  cli: join(root, 'dist', 'cli.js'),
  folder,
  image: join(root, 'test', 'fixtures', 'firmware', 'door.bin'),
  elf: join(root, 'test', 'fixtures', 'firmware', 'door.elf'),
  // Keys are outside the repository, as recommended. Inside it, every run would check whether git tracks the key.
  privateKey: join(folder, 'private.key'),
  publicKey: join(root, 'test', 'fixtures', 'keys', 'test-only-public.pem'),
};

copyFileSync(join(root, 'test', 'fixtures', 'keys', 'test-only-private.pem'), place.privateKey);
chmodSync(place.privateKey, 0o600);

const rows = ['| what | figure | reference | target |', '| --- | --- | --- | --- |'];
try {
  // A 500 KB image with content similar to that of the fixture, for the benchmarks of this size.
  const fixture = readFileSync(place.image);
  const large = join(folder, 'large.bin');
  writeFileSync(large, Buffer.concat([fixture, fixture]).subarray(0, 500_000));
  const parts: Readonly<Record<string, () => Iterable<string[]> | AsyncIterable<string[]>>> = {
    hooks: () => benchHooks(place, large),
    sizes: () => benchSizes(place),
    memory: () => benchMemory(place),
    firmware: () => benchFirmware(place),
    upload: () => benchUpload(),
    fleet: () => benchFleet(place),
    package: () => benchPackage(place),
    verification: () => benchVerification(),
  };
  const wanted = process.argv.slice(2);
  for (const name of wanted)
    if (!(name in parts)) throw new Error(`${name} is none of ${Object.keys(parts).join(', ')}`);
  for (const [name, bench] of Object.entries(parts)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for await (const row of bench()) {
      rows.push(`| ${row.join(' | ')} |`);
      process.stderr.write(`${row.join('  ')}\n`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`Node ${process.version}, ${process.platform} ${process.arch}\n\n${rows.join('\n')}`);
