import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import {
  allArtifacts,
  artifactsOf,
  isSignedWith,
  makeKeys,
  makeWorkplace,
  placeKeys,
  sketchText,
} from './workplace.ts';

const keys = makeKeys();

interface BadKey {
  readonly name: string;
  readonly spoil: (sketch: string) => Promise<void>;
  readonly message: RegExp;
}

const badKeys: readonly BadKey[] = [
  {
    name: 'a garbled private key',
    spoil: (sketch) => writeFile(join(sketch, 'private.key'), keys.privateKey.replace(/[A-Z]/g, '?')),
    message: /error\[\w+\]: .*private\.key/,
  },
  {
    name: 'a garbled public key',
    spoil: (sketch) => writeFile(join(sketch, 'public.key'), 'no key\n'),
    message: /error\[\w+\]: .*public\.key/,
  },
  {
    name: 'keys from two different pairs',
    spoil: (sketch) => writeFile(join(sketch, 'public.key'), makeKeys().publicKey),
    message: /error\[\w+\]: .*(private\.key.*public\.key|public\.key.*private\.key)/,
  },
];

for (const { name, spoil, message } of badKeys) {
  test.serial(`fails the build with ${name}, exports nothing, and deletes earlier artifacts`, async (t) => {
    const workplace = await makeWorkplace(t);
    const sketch = await workplace.sketch('door');
    await placeKeys(sketch, keys);
    t.is((await workplace.build(sketch)).exitCode, 0);
    const image = await workplace.image(sketch);
    t.deepEqual(await artifactsOf(image), allArtifacts);
    const out = join(workplace.folder, 'out');

    await spoil(sketch);
    const run = await workplace.build(sketch, '--output-dir', out);

    t.is(run.exitCode, 1, run.output);
    t.regex(run.output, message);
    t.deepEqual(await artifactsOf(image), []);
    t.false(existsSync(out));

    await placeKeys(sketch, keys);
    t.is((await workplace.build(sketch)).exitCode, 0);
    t.true(await isSignedWith(`${image}.signed`, keys));
  });
}

test.serial('a signed sketch without ESP8266WiFi does not link, and the error names the library', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('blink', 'void setup() {}\nvoid loop() {}\n');
  await placeKeys(sketch, keys);

  const run = await workplace.build(sketch);

  t.is(run.exitCode, 1);
  t.regex(run.output, /undefined reference to `esp8266::updaterSigningHash'/);
  t.regex(run.output.slice(run.output.indexOf('error[')), /ESP8266WiFi/);
});

const ourLine =
  'error[PROGRAM_FAILED]: arduino-cli compile failed with exit code 1\n  Find the cause in the output above.';

for (const { mistake, args, text = sketchText, last } of [
  { mistake: 'an invalid FQBN', args: ['--fqbn', 'nonsense'], last: 'Invalid FQBN: not an FQBN: nonsense' },
  { mistake: 'an unknown option', args: ['--', '--nonsense'], last: 'unknown flag: --nonsense' },
  {
    mistake: 'a compiler error',
    args: ['--fqbn', 'esp8266:esp8266:d1_mini'],
    text: '#include <ESP8266WiFi.h>\nnonsense;\n',
    last: 'Error during build: exit status 1',
  },
]) {
  test.serial(`the output of a build with ${mistake} ends with the message of arduino-cli and one error`, async (t) => {
    const workplace = await makeWorkplace(t);
    const sketch = await workplace.sketch('door', text);
    await placeKeys(sketch, keys, 'public');
    const { exitCode, output } = await workplace.run('build', '--source', sketch, ...args);
    t.is(exitCode, 1);
    t.true(output.endsWith(`${last}\n${ourLine}`), output);
  });
}

test.serial('a sketch that does not compile fails the build without an ota-hooks stack trace', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door', 'void setup() { nonsense }\nvoid loop() {}\n');

  const run = await workplace.build(sketch);

  t.is(run.exitCode, 1);
  t.regex(run.output, /nonsense/);
  t.notRegex(run.output, /^ +at .*\.[jt]s:/m);
});

test.serial('reports a missing arduino-cli with a hint to install it', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');

  const run = await workplace.runWith({ ARDUINO_CLI: 'arduino-cli-that-is-not-there' }, 'build', '--source', sketch);

  t.is(run.exitCode, 1);
  t.regex(
    run.output,
    /^error\[PROGRAM_MISSING\]: The build cannot start: arduino-cli-that-is-not-there was not found\n.*Install arduino-cli/m,
  );
});

test.serial(
  'a numbered hook that overrides the ota-hooks hook fails the build and is reported by doctor',
  async (t) => {
    const workplace = await makeWorkplace(t);
    const sketch = await workplace.sketch('door');
    await placeKeys(sketch, keys);
    await writeFile(join(workplace.core, 'platform.local.txt'), 'recipe.hooks.sketch.prebuild.1.pattern=true\n');

    const run = await workplace.build(sketch);
    t.is(run.exitCode, 1, run.output);
    t.notRegex(run.output, /Enabling binary signing/);
    const advice = await workplace.run('doctor', '--source', sketch, '--quiet');
    t.regex(advice.output, /^error .*platform\.local\.txt sets recipe\.hooks\.sketch\.prebuild\.1\.pattern/m);
  },
);

test.serial('names the nearest board of the installed cores when the board is unknown', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, keys);
  for (const args of [
    ['--fqbn', 'esp8266:esp8266:d1_mni:xtal=160'],
    ['--', '--fqbn=esp8266:esp8266:d1_mni'],
    ['--', '-b', 'esp8266:esp8266:d1_mni'],
  ]) {
    const { exitCode, output } = await workplace.run('build', '--source', sketch, ...args);
    t.is(exitCode, 1, output);
    t.regex(output, /have no board esp8266:esp8266:d1_mni\. Did you mean esp8266:esp8266:d1_mini/);
  }
});
