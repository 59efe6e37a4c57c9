import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  allArtifacts,
  artifactsOf,
  isSignedWith,
  makeKeys,
  makeWorkplace,
  placeKeys,
  removeKeys,
  willVerify,
} from './workplace.ts';

const [ours, theirs] = [makeKeys(), makeKeys()];
/** Compiler invocations in a verbose build log. */
const compiled = /xtensa-lx106-elf-g(?:cc|\+\+) .* -c .*\.(?:cpp|c)\.o$/gm;

test.serial('plain builds are signed after `install arduino`, and `uninstall arduino` restores the core', async (t) => {
  const workplace = await makeWorkplace(t, 'Jürgen Müller');
  const sketch = await workplace.sketch('Haustür');
  await placeKeys(sketch, ours);
  const before = await listing(workplace.core);

  const installed = await workplace.run('install', 'arduino');
  t.is(installed.exitCode, 0, installed.output);
  const signed = await workplace.compile(sketch);

  t.is(signed.exitCode, 0, signed.output);
  const image = await workplace.image(sketch);
  t.deepEqual(await artifactsOf(image), allArtifacts);
  t.true(await isSignedWith(`${image}.gz.signed`, ours));
  t.true(await willVerify(image, ours));

  t.is((await workplace.run('uninstall', 'arduino')).exitCode, 0);
  t.deepEqual(await listing(workplace.core), before);
  const plain = await workplace.compile(sketch);
  t.is(plain.exitCode, 0, plain.output);
  t.false(await willVerify(image, ours));
});

test.serial('the stamp file prevents signed and unsigned sketches from sharing a cached core', async (t) => {
  const workplace = await makeWorkplace(t);
  const [unsigned, signed] = [await workplace.sketch('lamp'), await workplace.sketch('door')];
  await placeKeys(signed, ours);
  t.is((await workplace.compile(unsigned)).exitCode, 0, 'the cache contains a core compiled without signing');
  await workplace.run('install', 'arduino');

  for (const sketch of [unsigned, signed, unsigned, signed]) {
    const run = await workplace.compile(sketch);
    t.is(run.exitCode, 0, run.output);
    t.deepEqual(await artifactsOf(await workplace.image(sketch)), sketch === signed ? allArtifacts : []);
  }
  t.true(await willVerify(await workplace.image(signed), ours));
  t.false(await willVerify(await workplace.image(unsigned), ours));
});

test.serial('fails a signed build that reuses an unsigned cached core when the stamp file is missing', async (t) => {
  const workplace = await makeWorkplace(t);
  const [unsigned, signed] = [await workplace.sketch('lamp'), await workplace.sketch('door')];
  await placeKeys(signed, ours);
  await workplace.run('install', 'arduino');
  await rm(join(workplace.core, 'ota-hooks.stamp'));

  t.is((await workplace.compile(unsigned)).exitCode, 0);
  const run = await workplace.compile(signed);

  t.not(run.exitCode, 0);
  t.regex(run.output, /the Updater does not use the key/);
});

test.serial('recompiles nothing when nothing has changed, and only two core files after a key change', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, ours);
  await workplace.run('install', 'arduino');
  await workplace.compile(sketch);

  const again = await workplace.compile(sketch, '--verbose');
  t.deepEqual(again.output.match(compiled) ?? [], []);

  await placeKeys(sketch, theirs);
  const other = await workplace.compile(sketch, '--verbose');
  const files = (other.output.match(compiled) ?? []).map((line) => /[^/]+$/.exec(line)?.[0]).sort();
  t.deepEqual(files, ['BearSSLHelpers.cpp.o', 'Updater.cpp.o']);
  t.true(await willVerify(await workplace.image(sketch), theirs));
});

test.serial(
  'installed hooks sign with the current key pair, and build unsigned after the keys are removed',
  async (t) => {
    const workplace = await makeWorkplace(t);
    const sketch = await workplace.sketch('door');
    await workplace.run('install', 'arduino');

    await placeKeys(sketch, ours);
    t.is((await workplace.compile(sketch)).exitCode, 0);
    const image = await workplace.image(sketch);
    t.true(await willVerify(image, ours));

    await removeKeys(sketch);
    t.is((await workplace.compile(sketch)).exitCode, 0);
    t.deepEqual(await artifactsOf(image), []);
    t.false(await willVerify(image, ours));

    await placeKeys(sketch, theirs);
    t.is((await workplace.compile(sketch)).exitCode, 0);
    t.true(await isSignedWith(`${image}.signed`, theirs));
    t.true(await willVerify(image, theirs));
  },
);

test.serial('keeps existing lines of platform.local.txt in effect and restores the file on uninstall', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch(
    'door',
    '#ifndef MINE\n#error lost\n#endif\n#include <ESP8266WiFi.h>\nvoid setup() {}\nvoid loop() {}\n',
  );
  await placeKeys(sketch, ours);
  const local = join(workplace.core, 'platform.local.txt');
  await writeFile(local, 'compiler.cpp.extra_flags=-DMINE');

  await workplace.run('install', 'arduino');
  await workplace.run('install', 'arduino');
  const run = await workplace.compile(sketch);
  t.is(run.exitCode, 0, run.output);
  t.true(await willVerify(await workplace.image(sketch), ours));

  await workplace.run('uninstall', 'arduino');
  t.is(await readFile(local, 'utf8'), 'compiler.cpp.extra_flags=-DMINE');
});

test.serial('uninstalling invalidates the cached core that was compiled with signing', async (t) => {
  const workplace = await makeWorkplace(t);
  const [signed, other] = [await workplace.sketch('door'), await workplace.sketch('lamp')];
  await placeKeys(signed, ours);
  await workplace.run('install', 'arduino');
  t.is((await workplace.compile(signed)).exitCode, 0);
  await workplace.run('uninstall', 'arduino');

  const run = await workplace.compile(other);

  t.is(run.exitCode, 0, run.output);
  t.false(await willVerify(await workplace.image(other), ours));
});

test.serial('`ota-hooks build` enables signing once on a core that has the hooks installed', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, ours);
  await workplace.run('install', 'arduino');

  const run = await workplace.build(sketch);

  t.is(run.exitCode, 0, run.output);
  t.is(run.output.match(/Enabling binary signing/g)?.length, 1);
  t.true(await willVerify(await workplace.image(sketch), ours));
});

test.serial('also installs the hooks into a git clone of the core in the sketchbook', async (t) => {
  const workplace = await makeWorkplace(t);
  const cloned = join(workplace.folder, 'user/hardware/esp8266com/esp8266');
  await cp(workplace.core, cloned, { recursive: true });

  const run = await workplace.run('install', 'arduino');

  t.is(run.exitCode, 0, run.output);
  for (const core of [cloned, workplace.core]) t.true((await readdir(core)).includes('platform.local.txt'));
});

/** Names and sizes of all files below a folder. */
async function listing(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  return Promise.all(names.map(async (name) => `${name} ${(await stat(join(folder, name))).size}`));
}
