import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import test from 'ava';
import { parseManifest } from '../../../src/core/model/manifest.ts';
import { allArtifacts, artifactsOf, isSignedWith, makeKeys, makeWorkplace, placeKeys } from './workplace.ts';

const keys = makeKeys();
const patienceMs = 480_000;

/** Enough data that the slow compressor is still running when the signal arrives. */
const numbers = Array.from({ length: 60_000 }, (_, index) => (index * 2654435761) >>> 24);
const bigSketch = [
  '#include <ESP8266WiFi.h>',
  `static const uint8_t table[] PROGMEM = {${numbers}};`,
  'void setup() { WiFi.begin("network", "password"); }',
  'void loop() { digitalWrite(2, pgm_read_byte(table + millis() % sizeof table)); }',
].join('\n');

interface Moment {
  readonly name: string;
  readonly hasCome: (image: string) => Promise<boolean>;
}

const moments: readonly Moment[] = [
  { name: 'at its start', hasCome: async () => true },
  { name: 'while it writes', hasCome: async (image) => (await artifactsOf(image)).length > 0 },
];

for (const { name, hasCome } of moments) {
  test.serial(`a pack hook killed ${name} leaves no partial artifacts, and the next build succeeds`, async (t) => {
    const workplace = await makeWorkplace(t);
    const sketch = await workplace.sketch('door', bigSketch);
    await placeKeys(sketch, keys);
    await writeFile(join(sketch, 'ota.config.json'), '{"compression": "zopfli"}');
    t.is((await workplace.build(sketch)).exitCode, 0);
    const image = await workplace.image(sketch);

    const build = workplace.build(sketch);
    const pid = await until(() => findHook('pack', image));
    await until(async () => (!existsSync(`/proc/${pid}`) || (await hasCome(image)) ? true : undefined));
    kill(pid);
    const { exitCode, output } = await build;

    const left = await artifactsOf(image);
    if (exitCode === 0) t.log('the hook ended before the signal');
    else t.regex(output, /signal: killed/);
    if (left.includes('.signed')) t.true(await isSignedWith(`${image}.signed`, keys));
    if (left.includes('.gz.signed')) t.true(await isSignedWith(`${image}.gz.signed`, keys));
    if (left.includes('.ota.json')) t.true('manifest' in parseManifest(await readFile(`${image}.ota.json`, 'utf8')));

    t.is((await workplace.build(sketch)).exitCode, 0);
    t.deepEqual(await artifactsOf(image), allArtifacts);
    t.true(await isSignedWith(`${image}.gz.signed`, keys));
  });
}

/** Process ID of the ota-hooks command that runs on this image. */
async function findHook(command: string, image: string): Promise<number | undefined> {
  for (const entry of await readdir('/proc')) {
    const words = (await readFile(join('/proc', entry, 'cmdline'), 'utf8').catch(() => '')).split('\0');
    if (words[2] === command && words.includes(dirname(image))) return Number(entry);
  }
  return undefined;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process had already exited.
  }
}

async function until<T>(found: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const result = await found();
    if (result !== undefined) return result;
    await wait(2);
  }
  throw new Error('the condition was not met in time');
}
