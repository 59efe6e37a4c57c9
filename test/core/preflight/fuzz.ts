/**
 * Runs mutated files through all code that reads untrusted bytes: inspect, verify and preflight. Fails if an error other than OtaError is
 * thrown, if a file requires two seconds, or if the process uses more than 200 MB.
 *
 *     npm run fuzz:images -- --count 100000 [--seed N]
 */
import { randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { alignGzip } from '../../../src/core/compression/alignment.ts';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { checkRelease } from '../../../src/core/preflight/check-release.ts';
import { fileRelease } from '../../../src/core/preflight/file-release.ts';
import { plan } from '../../../src/core/preflight/plan.ts';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { buildImage, concatBytes } from '../../support/image-builder.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { makeKeyPair, signFile } from '../../support/signed-file.ts';
import { noisyBytes } from '../device-model/recipes.ts';
import { device } from './case.ts';

const limitMs = 2000;
const limitBytes = 200 * 1024 * 1024;

const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } });
const count = Number(values.count ?? 100_000);
const seed = Number(values.seed ?? randomInt(1, 0x7fffffff));

const owner = makeKeyPair();

/** Builds small files of every kind. Small files are sufficient, because the headers matter more than the content. */
function makeSeeds(): readonly Uint8Array[] {
  const text = `${owner.publicKey.pem}\0Not Enough Space\0 2.2.2-dev(38a443e)\0`;
  const flashContent = concatBytes(Buffer.from(text, 'latin1'), noisyBytes(600, 0.5, 1));
  const sketches = (['3', '2.7', '2.6'] as const).map((generation) => buildImage({ generation, flashContent }));
  const filesystem = buildLittleFs({ blockCount: 3, content: noisyBytes(500, 1, 2) });
  const payloads = [...sketches, filesystem];
  const gzips = payloads.map((payload) => alignGzip(Uint8Array.from(gzipSync(payload))));
  const signed = [...payloads, ...gzips].flatMap((payload) => [
    signFile(payload, owner.privateKey, 'current'),
    signFile(payload, owner.privateKey, 'legacy'),
  ]);
  return [...payloads, ...gzips, ...signed, concatBytes(...gzips.slice(0, 2)), Buffer.from(owner.publicKey.pem)];
}

/** Returns a xorshift32 generator. The same seed produces the same files on every machine. */
function randomNumbers(start: number): (limit: number) => number {
  let state = start | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const words = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffff00, 0xffffffff];
const texts = [
  '-----BEGIN PUBLIC KEY-----',
  '-----END PUBLIC KEY-----',
  '\x1f\x8b\x08\x1f',
  'littlefs',
  '\xe9\xff\x02\x40',
];

/**
 * Mutates a file: changes bits, bytes and words, truncates, repeats, removes data and writes magic numbers. Most changes are near the
 * headers and both ends.
 */
function mutate(original: Uint8Array, random: (limit: number) => number): Uint8Array {
  let file = Uint8Array.from(original);
  for (let left = 1 + random(6); left > 0; left -= 1) {
    if (file.length < 8) return file;
    const near = Math.min(file.length, 64);
    const at = [random(near), file.length - 1 - random(near), 0x1000 + random(64), random(file.length)][random(4)] ?? 0;
    const offset = Math.min(at, file.length - 5);
    switch (random(7)) {
      case 0:
        file[offset] = random(256);
        break;
      case 1:
        file[offset] = (file[offset] ?? 0) ^ (1 << random(8));
        break;
      case 2:
        new DataView(file.buffer).setUint32(offset, words[random(words.length)] ?? 0, random(2) === 0);
        break;
      case 3:
        file = file.slice(0, offset);
        break;
      case 4:
        file = concatBytes(file.subarray(0, offset), file.subarray(random(offset + 1), offset), file.subarray(offset));
        break;
      case 5:
        file = concatBytes(file.subarray(0, offset), file.subarray(offset + 1 + random(16)));
        break;
      default: {
        const inserted = Buffer.from(texts[random(texts.length)] ?? '', 'latin1');
        file.set(inserted.subarray(0, file.length - offset), offset);
      }
    }
    if (file.length > 64 * 1024) file = file.slice(0, 64 * 1024);
  }
  return file;
}

/** Reads a file as `inspect`, `verify` and `preflight` do. */
function readEverything(file: Uint8Array, isFilesystem: boolean): void {
  const firmware = readFirmware(file, { knownKeys: [owner.publicKey] });
  deviceVerdict(file, owner.publicKey, 'current');
  deviceVerdict(file, owner.publicKey, 'legacy');
  const release = fileRelease(firmware, { file: 'mutated.bin', kind: isFilesystem ? 'filesystem' : undefined });
  checkRelease(release, {});
  plan({ facts: { ...device, keyFingerprint: owner.publicKey.fingerprint }, target: release });
  plan({ facts: {}, target: release });
}

/** Starts a thread that kills the process if one case runs too long, even in a synchronous loop. */
function startWatchdog(cases: Int32Array): Worker {
  const code = `
    const { workerData: { cases, limitMs } } = require('node:worker_threads');
    let last = -1;
    let since = Date.now();
    setInterval(() => {
      const now = Atomics.load(cases, 0);
      if (now !== last) { last = now; since = Date.now(); return; }
      if (Date.now() - since < limitMs) return;
      require('node:fs').writeSync(2, 'case ' + now + ' has taken more than ' + limitMs + ' ms\\n');
      process.kill(process.pid, 'SIGKILL');
    }, 100);`;
  return new Worker(code, { eval: true, workerData: { cases, limitMs } });
}

const seeds = makeSeeds();
const random = randomNumbers(seed);
const cases = new Int32Array(new SharedArrayBuffer(4));
const watchdog = startWatchdog(cases);
const started = Date.now();
let mostBytes = 0;
let failures = 0;

for (let index = 0; index < count && failures < 10; index += 1) {
  Atomics.store(cases, 0, index);
  const file = mutate(seeds[random(seeds.length)] ?? new Uint8Array(), random);
  try {
    readEverything(file, index % 16 === 0);
  } catch (error) {
    if (error instanceof OtaError) continue;
    failures += 1;
    writeSync(2, `case ${index}, --seed ${seed}: ${error instanceof Error ? error.stack : error}\n${toText(file)}\n`);
  }
  if (index % 64 > 0) continue;
  // node:zlib frees its memory only when the event loop runs. In a real program, the event loop runs between files.
  await setImmediate();
  mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
}

await watchdog.terminate();
const seconds = (Date.now() - started) / 1000;
writeSync(
  1,
  `${count} mutated files in ${seconds.toFixed(1)} s, at most ${Math.round(mostBytes / 1024 / 1024)} MB, seed ${seed}: ${failures} failures\n`,
);
if (mostBytes > limitBytes) writeSync(2, `more than ${limitBytes / 1024 / 1024} MB\n`);
process.exitCode = failures > 0 || mostBytes > limitBytes ? 1 : 0;

/** Encodes the file as text that can be pasted into a test. */
function toText(file: Uint8Array): string {
  return Buffer.from(gzipSync(file)).toString('base64');
}
