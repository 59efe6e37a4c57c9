import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import * as arduino from '../arduino/workplace.ts';
import * as platformio from '../platformio/project.ts';
import { updateServer } from './update-server.ts';

const keys = arduino.makeKeys();

function config(to: string, afterBuild: boolean | { env: string } = true): string {
  const version = { env: 'FIRMWARE_VERSION' };
  return JSON.stringify({
    project: 'door',
    version,
    publicKey: 'public.key',
    privateKey: { env: 'OTA_PRIVATE_KEY' },
    publish: { to, afterBuild },
  });
}

test.serial(
  'arduino-cli: publishes a release build once, rejects changed bytes and sends no token to other servers',
  async (t) => {
    const server = await updateServer(t);
    const workplace = await arduino.makeWorkplace(t, 'work place');
    const sketch = await workplace.sketch('door');
    await arduino.placeKeys(sketch, keys, 'public');
    await writeFile(join(sketch, 'ota.config.json'), config(server.url, { env: 'RELEASE' }));
    const env = { ...server.env, OTA_PRIVATE_KEY: keys.privateKey, FIRMWARE_VERSION: '1.0.0' };
    const build = (more: Readonly<Record<string, string>>) =>
      workplace.runWith({ ...env, ...more }, 'build', '--source', sketch, '--', '--fqbn', 'esp8266:esp8266:d1_mini');

    t.is((await build({})).exitCode, 0);
    t.deepEqual(await server.releases('door'), []);
    const first = await build({ RELEASE: '1' });
    t.is(first.exitCode, 0, first.output);
    t.regex(first.output, /Signed binary: [\s\S]*Published door 1\.0\.0 \(sketch, d1_mini\) on stable/);
    t.deepEqual(await server.releases('door'), ['1.0.0 sketch on stable']);
    const again = await build({ RELEASE: '1' });
    t.is(again.exitCode, 0, again.output);
    t.regex(again.output, /is already published/);

    await writeFile(join(sketch, 'door.ino'), arduino.sketchText.replace('"network"', '"another"'));
    const changed = await build({ RELEASE: '1' });
    t.not(changed.exitCode, 0);
    t.regex(
      changed.output,
      /door 1\.0\.0 \(sketch, d1_mini\) was not published: [\s\S]*with different bytes[\s\S]*build was not published/,
    );
    const next = await build({ RELEASE: '1', FIRMWARE_VERSION: '1.0.1' });
    t.is(next.exitCode, 0, next.output);
    t.deepEqual(await server.releases('door'), ['1.0.1 sketch on stable', '1.0.0 sketch on nothing']);

    // The token must not be sent to a changed address.
    await writeFile(join(sketch, 'ota.config.json'), config('http://127.0.0.1:9/', { env: 'RELEASE' }));
    const strange = await build({ RELEASE: '1', FIRMWARE_VERSION: '1.0.2' });
    t.not(strange.exitCode, 0);
    t.regex(strange.output, /OTA_TOKEN was not sent to http:\/\/127\.0\.0\.1:9/);
    t.false(strange.output.includes(server.token));
  },
);

test.serial('installed Arduino hooks publish after a build, but not when linking fails', async (t) => {
  const server = await updateServer(t);
  const workplace = await arduino.makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await arduino.placeKeys(sketch, keys);
  const settings = { project: 'door', version: '1.0.0', publish: { to: server.url, afterBuild: true } };
  await writeFile(join(sketch, 'ota.config.json'), JSON.stringify(settings));
  t.is((await workplace.run('install', 'arduino', '--publish', '--platform', workplace.core)).exitCode, 0);

  await writeFile(join(sketch, 'door.ino'), `${arduino.sketchText}\nint missing();\nint here = missing();\n`);
  t.not((await workplace.compileWith(server.env, sketch)).exitCode, 0);
  t.deepEqual(await server.releases('door'), []);
  await writeFile(join(sketch, 'door.ino'), arduino.sketchText);
  const built = await workplace.compileWith(server.env, sketch);
  t.is(built.exitCode, 0, built.output);
  t.deepEqual(await server.releases('door'), ['1.0.0 sketch on stable']);
});

test.serial('PlatformIO: publishes firmware and filesystem once and retries after a failure', async (t) => {
  const server = await updateServer(t);
  const project = await platformio.makeProject(t);
  await project.write('public.key', keys.publicKey);
  await project.write('data/index.html', '<p>door</p>');
  await project.write('ota.config.json', config(server.url));
  const env = { OTA_PRIVATE_KEY: keys.privateKey, FIRMWARE_VERSION: '1.0.0' };

  const tokenless = await project.runWith(env);
  t.not(tokenless.exitCode, 0);
  t.regex(tokenless.output, /OTA_TOKEN is not set/);
  t.true(existsSync(project.built('firmware.bin.gz.signed')), 'the artifacts are kept');
  const first = await project.runWith({ ...env, ...server.env });
  t.is(first.exitCode, 0, first.output);
  t.deepEqual(first.started, ['pack', 'publish']);
  t.deepEqual(await server.releases('door'), ['1.0.0 sketch on stable']);
  const again = await project.runWith({ ...env, ...server.env });
  t.deepEqual([again.exitCode, again.started], [0, []]);

  const files = await project.runWith({ ...env, ...server.env }, '-t', 'buildfs');
  t.is(files.exitCode, 0, files.output);
  t.deepEqual(await server.releases('door'), ['1.0.0 sketch on stable', '1.0.0 filesystem on stable']);
});
