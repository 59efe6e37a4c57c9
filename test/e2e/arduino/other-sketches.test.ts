/** Hooks in a core run for every sketch on the machine: the hooks must not affect sketches without keys. */
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { execa } from 'execa';
import {
  allArtifacts,
  artifactsOf,
  isSignedWith,
  makeKeys,
  makeWorkplace,
  placeKeys,
  repository,
  type Workplace,
} from './workplace.ts';

const keys = makeKeys();
const report = /\. Variables and constants in RAM .* used \d+ \/ 80192 bytes/;

function copyOf({ folder }: Workplace): string {
  return join(folder, '.local/share/ota-hooks/arduino');
}

/** Environment in which the hooks do not find Node.js. The test platform itself runs Node.js by its absolute path. */
const withoutNode = { PATH: '/nowhere' };

async function usePathlessPlatform({ core }: Workplace): Promise<void> {
  const path = join(core, 'platform.txt');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('runtime.tools.node.cmd=node', `runtime.tools.node.cmd=${process.execPath}`));
}

async function forgetNode(workplace: Workplace): Promise<void> {
  await writeFile(join(copyOf(workplace), 'node'), `${workplace.folder}/versions/v20.19.0/bin/node\n`);
}

/** Name and digest of each file of a build that depends on the hooks. */
async function digests(image: string): Promise<readonly string[]> {
  const folder = dirname(image);
  const names = (await readdir(folder)).filter((name) => name.startsWith('lamp.ino.'));
  return Promise.all(
    [...names.sort(), 'core/Updater_Signing.h'].map(async (name) => {
      const bytes = await readFile(join(folder, name));
      return `${name} ${createHash('sha256').update(bytes).digest('hex')}`;
    }),
  );
}

test.serial('a sketch without keys has the same files, output and memory report with installed hooks', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('lamp');
  const build = async (...options: string[]) => {
    const run = await workplace.compile(sketch, '--clean', ...options);
    t.is(run.exitCode, 0, run.output);
    return { output: run.output, files: await digests(await workplace.image(sketch)) };
  };
  const [before, before2] = [await build(), await build('--verbose')];
  t.regex(before2.output, report);

  await workplace.run('install', 'arduino');
  // A program in the place of Node.js shows that no hook starts it.
  const marker = join(workplace.folder, 'started');
  const spy = join(workplace.folder, 'spy');
  await writeFile(spy, `#!/bin/sh\ntouch '${marker}'\n`);
  await chmod(spy, 0o755);
  const run = await workplace.compileWith({ OTA_NODE: spy }, sketch, '--clean');
  t.is(run.output, before.output);
  t.deepEqual(await digests(await workplace.image(sketch)), before.files);
  t.false((await readdir(workplace.folder)).includes('started'));

  const after = await build('--verbose');
  t.regex(after.output, report);
  t.deepEqual(after.files, before2.files);
  // arduino-cli prints each process that it starts on one line, which contains the build folder.
  const processes = (output: string) =>
    output.split('\n').filter((line) => line.includes('Updater_Signing') || /ota-hooks\.py|signing\.py/.test(line));
  t.deepEqual([processes(before2.output).length, processes(after.output).length], [2, 2]);
});

test.serial('removes signed files of an earlier build after the keys are removed, without Node.js', async (t) => {
  const workplace = await makeWorkplace(t);
  await usePathlessPlatform(workplace);
  const sketch = await workplace.sketch('lamp');
  await placeKeys(sketch, keys);
  await workplace.run('install', 'arduino');
  t.is((await workplace.compile(sketch)).exitCode, 0);
  const image = await workplace.image(sketch);
  t.deepEqual(await artifactsOf(image), allArtifacts);

  for (const name of ['public.key', 'private.key']) await rm(join(sketch, name));
  await forgetNode(workplace);
  const run = await workplace.compileWith(withoutNode, sketch);

  t.is(run.exitCode, 0, run.output);
  t.deepEqual(await artifactsOf(image), []);
  t.is(await readFile(join(dirname(image), 'core/Updater_Signing.h'), 'utf8'), '#define ARDUINO_SIGNING 0\n');
});

test.serial(
  'removes signed files of an earlier build from the folder of the sketch when a build is exported',
  async (t) => {
    const workplace = await makeWorkplace(t);
    const sketch = await workplace.sketch('lamp');
    await placeKeys(sketch, keys);
    await workplace.run('install', 'arduino');
    const exported = join(sketch, 'build', 'esp8266.esp8266.d1_mini', 'lamp.ino.bin');
    const compile = async (...options: string[]) => {
      const run = await workplace.compile(sketch, ...options);
      t.is(run.exitCode, 0, run.output);
      return artifactsOf(exported);
    };
    t.deepEqual(await compile('--export-binaries'), allArtifacts);
    for (const name of ['public.key', 'private.key']) await rm(join(sketch, name));
    t.deepEqual(await compile(), allArtifacts, 'without an export, the exported build stays complete');
    t.deepEqual(await compile('--export-binaries'), []);
  },
);

test.serial('without Node.js, sketches without keys build, and sketches with keys fail with one line', async (t) => {
  const workplace = await makeWorkplace(t);
  await usePathlessPlatform(workplace);
  const [lamp, door] = [await workplace.sketch('lamp'), await workplace.sketch('door')];
  await placeKeys(door, keys);
  await workplace.run('install', 'arduino');
  t.is((await workplace.compile(door)).exitCode, 0);
  await forgetNode(workplace);

  t.is((await workplace.compileWith(withoutNode, lamp)).exitCode, 0);
  const failed = await workplace.compileWith(withoutNode, door);
  t.not(failed.exitCode, 0);
  const lines = failed.output.split('\n').filter((line) => line.includes('ota-hooks: error:'));
  t.is(lines.length, 1, failed.output);
  t.regex(lines[0] ?? '', /Node\.js was not found; install Node\.js 20\.19 or newer/);
  t.notRegex(failed.output, /Traceback/);
  t.deepEqual(await artifactsOf(await workplace.image(door)), [], 'signed files of the build before would be sent');

  const versions = join(workplace.folder, 'versions/v22.4.0/bin');
  await mkdir(versions, { recursive: true });
  await symlink(process.execPath, join(versions, 'node'));
  const other = await workplace.compileWith(withoutNode, door);
  t.is(other.exitCode, 0, `a newer version of the version manager is used: ${other.output}`);
});

test.serial('installed hooks sign after the package that installed them is removed', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, keys);
  const own = join(workplace.folder, 'project/node_modules/ota-hooks');
  for (const name of ['package.json', 'dist', 'hooks'])
    await cp(join(repository, name), join(own, name), { recursive: true });
  await symlink(join(repository, 'node_modules'), join(own, 'node_modules'));
  const installed = await workplace.runScript(join(own, 'dist/cli.js'), 'install', 'arduino');
  t.is(installed.exitCode, 0, installed.output);
  t.regex(installed.output, /The hooks run a copy of ota-hooks: .*\.local\/share\/ota-hooks\/arduino/);

  await rm(join(workplace.folder, 'project'), { recursive: true });
  const run = await workplace.compile(sketch);

  t.is(run.exitCode, 0, run.output);
  t.true(await isSignedWith(`${await workplace.image(sketch)}.gz.signed`, keys));
  const { stdout } = await execa(process.execPath, [join(copyOf(workplace), 'dist/cli.js'), 'inspect', '--help']);
  t.regex(stdout, /inspect/);
});

test.serial('without the copy, sketches without keys build, and sketches with keys fail with one line', async (t) => {
  const workplace = await makeWorkplace(t);
  const [lamp, door] = [await workplace.sketch('lamp'), await workplace.sketch('door')];
  await placeKeys(door, keys);
  await workplace.run('install', 'arduino');
  await rm(join(workplace.folder, '.local'), { recursive: true });

  t.is((await workplace.compile(lamp)).exitCode, 0);
  const failed = await workplace.compile(door);
  t.not(failed.exitCode, 0);
  t.regex(failed.output, /ota-hooks: error: .*dist\/cli\.js is missing; run ota-hooks install arduino$/m);

  await workplace.run('install', 'arduino');
  t.is((await workplace.compile(door)).exitCode, 0);
});

test.serial('after a core upgrade, builds run without the hooks until the hooks are installed again', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, keys);
  await workplace.run('install', 'arduino');
  const upgraded = join(dirname(workplace.core), '3.1.3');
  await rename(workplace.core, upgraded);
  for (const name of ['platform.local.txt', 'ota-hooks.py', 'ota-hooks.stamp']) await rm(join(upgraded, name));

  t.is((await workplace.compile(sketch)).exitCode, 0);
  t.deepEqual(await artifactsOf(await workplace.image(sketch)), []);
  t.is((await workplace.run('install', 'arduino')).exitCode, 0);
  t.is((await workplace.compile(sketch)).exitCode, 0);
  t.true(await isSignedWith(`${await workplace.image(sketch)}.signed`, keys));
});

test.serial(
  'reports the names of stale signed files that cannot be removed, even for a sketch without keys',
  async (t) => {
    const workplace = await makeWorkplace(t);
    const sketch = await workplace.sketch('lamp');
    await workplace.run('install', 'arduino');
    t.is((await workplace.compile(sketch)).exitCode, 0);
    const image = await workplace.image(sketch);
    // A folder of this name cannot be unlinked, not even by root.
    await mkdir(`${image}.signed`);

    const run = await workplace.compile(sketch);

    t.not(run.exitCode, 0);
    t.regex(
      run.output,
      /ota-hooks: error: files of an earlier build were not removed and must not be sent: .*lamp\.ino\.bin\.signed/,
    );
  },
);
