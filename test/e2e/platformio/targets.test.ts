import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import { configFileNames } from '../../../src/project/config/load.ts';
import { platformIo } from '../provision/platformio.ts';
import {
  artifactsOf,
  environment,
  hook,
  hookParts,
  isSignedWith,
  makeKeys,
  makeProject,
  placeKeys,
} from './project.ts';

const keys = makeKeys();

test.serial('--list-targets lists the ota targets and does not start the CLI', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, keys);
  const run = await project.run('--list-targets');
  t.is(run.exitCode, 0);
  t.deepEqual(run.started, []);
  for (const target of ['ota-keygen', 'ota-sign', 'ota-send', 'ota-inspect'])
    t.regex(run.output, new RegExp(`Custom +${target} +OTA: `));
  t.false(existsSync(project.built('firmware.bin')));
});

test.serial('the ota targets create keys, sign with them, and inspect the image', async (t) => {
  const project = await makeProject(t);
  const keygen = await project.run('-t', 'ota-keygen');
  t.is(keygen.exitCode, 0, keygen.output);
  t.deepEqual(keygen.started, ['keygen']);
  const made = { privateKey: '', publicKey: await readFile(project.path('public.key'), 'utf8') };

  const sign = await project.run('-t', 'ota-sign');
  t.is(sign.exitCode, 0, sign.output);
  t.true(await isSignedWith(project.built('firmware.bin.signed'), made));

  const inspect = await project.run('-t', 'ota-inspect');
  t.is(inspect.exitCode, 0, inspect.output);
  t.deepEqual(inspect.started, ['inspect']);
  t.regex(inspect.output, /2048/);

  t.is((await project.run('-t', 'ota-keygen')).exitCode, 1, 'keys are never overwritten');
});

test.serial(
  'upload signs first, recreates a missing artifact without a build, and fails with an invalid key',
  async (t) => {
    const project = await makeProject(t, { lines: ['custom_ota_upload = no'] });
    await placeKeys(project, keys);
    const upload = await project.run('-t', 'upload', '--upload-port', '192.0.2.7');
    t.is(upload.exitCode, 0, upload.output);
    t.regex(upload.output, /Signed binary: .*espota would send firmware\.bin\.signed/s);

    await rm(project.built('firmware.bin.signed'));
    const again = await project.run('-t', 'nobuild', '-t', 'upload', '--upload-port', '192.0.2.7');
    t.is(again.exitCode, 0, again.output);
    t.deepEqual(again.started, ['pack']);
    t.regex(again.output, /espota would send firmware\.bin\.signed/);

    await project.write('private.key', 'no key\n');
    const refused = await project.run('-t', 'upload', '--upload-port', '192.0.2.7');
    t.is(refused.exitCode, 1);
    t.notRegex(refused.output, /espota would send/);
  },
);

test.serial('a custom target can depend on the signed image and runs after it', async (t) => {
  const project = await makeProject(t, { lines: ['  release.py'] });
  await placeKeys(project, keys);
  await project.write(
    'release.py',
    `Import("env")
env.AddCustomTarget("release", "$BUILD_DIR/firmware.bin.gz.signed", Copy("released.bin", "$SOURCE"))
`,
  );
  const run = await project.run('-t', 'release');
  t.is(run.exitCode, 0, run.output);
  t.true(await isSignedWith(project.path('released.bin'), keys));
});

test.serial('compiledb and idedata need no key and do not start the CLI', async (t) => {
  const project = await makeProject(t);
  await project.write('public.key', 'no key\n');
  for (const target of ['compiledb', 'idedata']) {
    const run = await project.run('-t', target);
    t.is(run.exitCode, 0, run.output);
    t.deepEqual(run.started, []);
  }
  t.regex(await readFile(project.path('compile_commands.json'), 'utf8'), /-I[^ ]*d1\/ota/);
});

test.serial('ignores a board that is not an ESP8266', async (t) => {
  const project = await makeProject(t, { ini: ['[env:d1]', ...environment].join('\n').replace('d1_mini', 'other') });
  const board = JSON.parse(await readFile(new URL('../esp8266/boards/d1_mini.json', import.meta.url), 'utf8'));
  await project.write('boards/other.json', JSON.stringify({ ...board, build: { ...board.build, mcu: 'esp32' } }));
  const run = await project.run();
  t.is(run.exitCode, 0, run.output);
  t.deepEqual(run.started, []);
  t.deepEqual(artifactsOf(project.built('firmware.bin')), []);
});

test.serial('the hook uses the same configuration file names as the CLI', async (t) => {
  const names = /^CONFIGS = \((.*)\)$/m.exec(await readFile(join(hookParts, 'platformio_hook/config.py'), 'utf8'))?.[1];
  t.is(names, configFileNames.map((name) => JSON.stringify(name)).join(', '));
});

test.serial('the hook is valid Python 3.6, the oldest version that PlatformIO 6 supports', async (t) => {
  const parse =
    'import ast, sys; [ast.parse(open(path, encoding="utf-8").read(), feature_version=(3, 6)) for path in sys.argv[1:]]';
  const parts = (await readdir(join(hookParts, 'platformio_hook'))).filter((name) => name.endsWith('.py'));
  t.true(parts.includes('config.py'));
  await execa(platformIo.python, ['-c', parse, hook, ...parts.map((part) => join(hookParts, 'platformio_hook', part))]);
});
