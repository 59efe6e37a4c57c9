/** Hooks find Node.js and the tool in every kind of installation, even in an IDE started from the desktop. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { actsOf } from '../../docs/acts.ts';
import { makePlace, type Place, type Run } from '../newcomer/place.ts';

const signed = /Signed binary: .*\.bin\.gz\.signed/;

/** A machine with the sources of docs/start.md, after some commands in a terminal. */
async function prepared(t: ExecutionContext, heading: string, ...commands: readonly string[]): Promise<Place> {
  const place = await makePlace(t);
  for (const act of actsOf('start.md', heading)) if (act.act === 'save') await place.follow(act);
  for (const command of commands) {
    const run: Run | undefined = await place.follow({ act: 'run', command });
    t.is(run?.exitCode, 0, `${command}\n${run?.output}`);
  }
  return place;
}

test.serial('PlatformIO, local installation: uses the Node.js that init recorded, and fails without one', async (t) => {
  const install = ['npm init --yes', 'npm install --save-dev ota-hooks', 'npx ota-hooks init --yes'];
  const place = await prepared(t, 'PlatformIO', ...install);
  const run = await place.fromDesktop('pio run');
  t.is(run.exitCode, 0, run.output);
  t.regex(run.output, signed);

  await rm(join(place.folder, '.ota/node'));
  await place.write('src/main.cpp', `${await place.read('src/main.cpp')}\n// changed\n`);
  const without = await place.fromDesktop('pio run --target clean --target buildprog');
  t.not(without.exitCode, 0, 'the PATH does not contain Node.js');
  t.regex(without.output, /Node\.js not found/);
});

test.serial('PlatformIO, global installation: signs a build without Node.js in PATH', async (t) => {
  const place = await prepared(t, 'PlatformIO', 'npm install --global ota-hooks', 'ota-hooks init --yes');
  t.regex(await place.read('platformio.ini'), /^extra_scripts = pre:\/.*\/ota-hooks\/hooks\/platformio\.py$/m);
  const run = await place.fromDesktop('pio run');
  t.is(run.exitCode, 0, run.output);
  t.regex(run.output, signed);
});

const compile = `arduino-cli compile --fqbn esp8266:esp8266:d1_mini --build-property runtime.tools.node.cmd=${process.execPath} door`;
const keys = '--private-key door/private.key --public-key door/public.key';

test.serial('Arduino, global installation: signs a build without Node.js in PATH', async (t) => {
  const install = ['npm install --global ota-hooks', 'ota-hooks install arduino', `ota-hooks keygen ${keys}`];
  const place = await prepared(t, 'arduino-cli', ...install);
  const run = await place.fromDesktop(compile);
  t.is(run.exitCode, 0, run.output);
  t.regex(run.output, signed);
});

test.serial('Arduino, local installation: signs a build without Node.js in PATH', async (t) => {
  const install = ['npm init --yes', 'npm install --save-dev ota-hooks'];
  const place = await prepared(
    t,
    'arduino-cli',
    ...install,
    'npx ota-hooks install arduino',
    `npx ota-hooks keygen ${keys}`,
  );
  const run = await place.fromDesktop(compile);
  t.is(run.exitCode, 0, run.output);
  t.regex(run.output, signed);
});
