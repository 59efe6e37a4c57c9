/** A build folder in an untrusted source tree names another of the user's projects as its sketch. */
import { mkdir, rename } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { packedDoor } from '../../support/fleet.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { startListener } from './basic-auth-listener.ts';

/** The user's project, and an untrusted source tree with a build that names this project. */
async function trees(t: ExecutionContext) {
  const listener = await startListener(t);
  const device = { address: '127.0.0.1', port: listener.port, method: 'web', password: { file: 'password' } };
  const own = await packedDoor(t, { door: device });
  await own.write('password', 'own password');
  const other = await packedDoor(t, {});
  const home = await testFolder(t);
  await other.write('build/build.options.json', JSON.stringify({ sketchLocation: own.path }));
  const upload = (cwd: string, build: string, env: Readonly<Record<string, string>> = {}, ...argv: string[]) =>
    runCommand(['upload', `${build}/door.ino.bin`, '--all', ...argv], { cwd, env, home: home.path });
  return { listener, own, other, home, upload };
}

test('does not use the passwords and devices of a different project for a build folder', async (t) => {
  const { listener, own, other, home, upload } = await trees(t);
  const folders = [other.path, home.path, '/'];
  for (const cwd of folders) {
    const { error } = await upload(cwd, other.at('build'));
    t.is(error?.code, 'SOURCE_UNTRUSTED', cwd);
    t.true(error?.hint?.includes(`--source ${own.path}`), error?.hint);
  }
  const publish = await runCommand(['publish', other.at('build'), '--to', '.'], { cwd: other.path, home: home.path });
  t.is(publish.error?.code, 'SOURCE_UNTRUSTED');
  t.deepEqual(listener.heard(), []);
  const tried = folders.length + 1;
  countAttacks({ kind: 'build folders that name a different project', tried, withstood: tried });
});

test('does not use a different project for a build folder in an untrusted git work tree', async (t) => {
  const { listener, other, upload } = await trees(t);
  for (const name of ['objects', 'refs']) await mkdir(other.at(`.git/${name}`), { recursive: true });
  await other.write('.git/HEAD', 'ref: refs/heads/main');
  t.is((await upload(other.path, 'build')).error?.code, 'SOURCE_UNTRUSTED');
  t.deepEqual(listener.heard(), []);
});

test('accepts the sketch that a trusted build folder names', async (t) => {
  const { listener, own, other, home, upload } = await trees(t);
  const build = other.at('build');
  const heard = async (run: Promise<unknown>, what: string) => {
    const before = listener.requests();
    await run;
    t.true(listener.requests() > before, what);
  };
  await heard(upload('/', build, {}, '--source', own.path), 'the user names the sketch');
  await heard(upload(own.path, build), 'the user works in the sketch folder');
  await heard(upload('/', build, { OTA_SAFE_DIRECTORY: other.path }), 'the user trusts the build folder');
  await heard(upload('/', build, { ARDUINO_BUILD_CACHE_PATH: other.path }), 'the build cache of arduino-cli');
  await mkdir(home.at('.cache/arduino/sketches'), { recursive: true });
  await rename(build, home.at('.cache/arduino/sketches/5907A9'));
  await heard(upload('/', home.at('.cache/arduino/sketches/5907A9')), 'the usual build cache');
  await rename(home.at('.cache/arduino/sketches/5907A9'), own.at('other-build'));
  await heard(upload('/', own.at('other-build')), 'a build folder in the sketch folder');
});
