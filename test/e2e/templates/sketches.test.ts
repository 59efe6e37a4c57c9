import { readdirSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { selfSigned } from '../../../src/server/tls/self-signed.ts';
import { cli } from '../arduino/workplace.ts';
import { copyFullCore } from './core.ts';
import { placeSecrets, templates, testKey } from './parts.ts';

const sketches = join(templates, 'sketches');
const compiler = 'xtensa-lx106-elf-g++';
// Flags of platform.txt in core 3.x, with the strictest warnings as errors.
const flags = [
  ...['-c', '-x', 'c++', '-std=gnu++17', '-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-Os'],
  ...['-ffreestanding', '-fno-builtin', '-mlongcalls', '-mtext-section-literals', '-Wall', '-Wextra', '-Werror'],
  ...['-D__ets__', '-DICACHE_FLASH', '-DESP8266', '-DARDUINO=10819', '-DF_CPU=80000000L'],
];
let folder: string;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ota-hooks-templates-'));
  await copyFullCore(join(folder, 'core'));
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

for (const name of readdirSync(sketches)) {
  test(`${name} compiles for the chip without a warning`, async (t) => {
    const compiled = await compile(name, `${name}-good`, async (sketch) => {
      await placeSecrets(sketch);
      if (name === 'ManualSigning') await placeSigningKey(sketch);
      if (name === 'HttpsUpdate') await placeServerHeader(sketch);
      if (name === 'IntermediateUpdate') await placeKeyHeader(sketch);
    });
    t.is(compiled.exitCode, 0, compiled.all);
  });

  test(`${name} does not compile without secrets, and the error names the missing file`, async (t) => {
    const compiled = await compile(name, `${name}-bare`, async () => undefined);
    t.not(compiled.exitCode, 0);
    t.regex(compiled.all, /arduino_secrets\.h"? .*missing\? Copy arduino_secrets\.example\.h/);
  });
}

for (const name of ['EspotaUpdate', 'IntermediateUpdate', 'WebUpdate']) {
  test(`${name} does not compile with the unmodified example secrets`, async (t) => {
    const compiled = await compile(name, `${name}-empty`, (sketch) =>
      cp(join(sketch, 'arduino_secrets.example.h'), join(sketch, 'arduino_secrets.h')),
    );
    t.not(compiled.exitCode, 0);
    t.regex(
      compiled.all,
      /static assertion failed: SECRET_\w+_PASSWORD in arduino_secrets\.h needs at least 12 characters/,
    );
  });
}

test('IntermediateUpdate does not compile without a key, and the error names public.key', async (t) => {
  const compiled = await compile('IntermediateUpdate', 'keyless', placeSecrets);
  t.not(compiled.exitCode, 0);
  t.regex(compiled.all, /IntermediateUpdate must verify signatures: put public\.key into the project/);
});

test('the stubs reject a method that upstream does not have', async (t) => {
  const compiled = await compile('EspotaUpdate', 'misspelt', async (sketch) => {
    await placeSecrets(sketch);
    const path = join(sketch, 'EspotaUpdate.ino');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('ArduinoOTA.setHostname', 'ArduinoOTA.setHostName'));
  });
  t.not(compiled.exitCode, 0);
  t.regex(compiled.all, /has no member named 'setHostName'/);
});

async function compile(name: string, place: string, prepare: (sketch: string) => Promise<void>) {
  const sketch = join(folder, place);
  await cp(join(sketches, name), sketch, { recursive: true });
  await prepare(sketch);
  const core = join(folder, 'core');
  const libraries = await readdir(join(core, 'libraries'));
  const includes = ['cores/esp8266', 'variants/d1_mini', ...libraries.map((library) => `libraries/${library}/src`)];
  const options = [...flags, `-I${sketch}`, ...includes.map((path) => `-I${join(core, path)}`)];
  const files = [join(sketch, `${name}.ino`), '-o', join(sketch, `${name}.o`)];
  return await execa(compiler, [...options, ...files], { reject: false, all: true });
}

/** Writes ota_server_tls.h as a server does. */
async function placeServerHeader(sketch: string): Promise<void> {
  await selfSigned(join(sketch, 'tls'), ['192.0.2.10']).read();
  await cp(join(sketch, 'tls', 'ota_server_tls.h'), join(sketch, 'ota_server_tls.h'));
}

/** Creates Updater_Signing.h as a build with a key does. */
async function placeKeyHeader(sketch: string): Promise<void> {
  await execa(process.execPath, [cli, 'header', '--public-key', testKey, '--out', join(sketch, 'Updater_Signing.h')]);
}

/** Creates signing_key.h as the instructions in the sketch describe. */
async function placeSigningKey(sketch: string): Promise<void> {
  await execa(process.execPath, [cli, 'header', '--public-key', testKey, '--out', join(sketch, 'signing_key.h')]);
}
