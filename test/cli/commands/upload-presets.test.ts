import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { doorFacts, packedDoor } from '../../support/fleet.ts';
import { startFormServer } from '../../support/form-servers.ts';
import { runCommand } from '../../support/run-command.ts';

const image = 'build/door.ino.bin';

test('upload --preset sends the signed artifact through the ElegantOTA form', async (t) => {
  const server = await startFormServer(t, 'elegantota', { password: 'secret' });
  const folder = await packedDoor(t);
  const run = await runCommand(
    [
      'upload',
      image,
      '--host',
      `127.0.0.1:${server.webPort}`,
      '--preset',
      'elegantota',
      '--password-env',
      'OTA_PASSWORD',
    ],
    { cwd: folder.path, env: { OTA_PASSWORD: 'secret' } },
  );
  t.is(run.exitCode, 0, run.stderr);
  t.is(server.installed[0]?.image.compare(await readFile(join(folder.path, `${image}.signed`))), 0);
});

test('upload sends WLED the raw artifact, and Tasmota the smallest safe artifact', async (t) => {
  const wled = await startFormServer(t, 'wled');
  const tasmota = await startFormServer(t, 'tasmota');
  const device = ({ webPort }: { webPort: number }, preset: string) => ({
    address: '127.0.0.1',
    port: webPort,
    method: 'web',
    preset,
    facts: doorFacts,
  });
  const folder = await packedDoor(t, { lamp: device(wled, 'wled'), plug: device(tasmota, 'tasmota') });
  const { exitCode, stderr } = await runCommand(['upload', image, '--all'], { cwd: folder.path });
  t.is(exitCode, 0, stderr);
  t.is(wled.installed[0]?.image.compare(await readFile(join(folder.path, `${image}.signed`))), 0);
  t.is(tasmota.installed[0]?.image.compare(await readFile(join(folder.path, `${image}.gz.signed`))), 0);
});

test("upload --path and --field send the image through the sketch's own upload form", async (t) => {
  const server = await startFormServer(t, 'own');
  const folder = await packedDoor(t);
  const argv = ['upload', image, '--host', `127.0.0.1:${server.webPort}`, '--path', '/flash', '--field', 'update'];
  const { exitCode, stderr } = await runCommand(argv, { cwd: folder.path });
  t.is(exitCode, 0, stderr);
  t.is(server.installed.length, 1);
});

test('upload --field is rejected for a filesystem image, because the field determines what the device overwrites', async (t) => {
  const folder = await packedDoor(t);
  const argv = ['upload', image, '--host', '127.0.0.1:9', '--filesystem', '--field', 'update'];
  t.is((await runCommand(argv, { cwd: folder.path })).error?.code, 'OPTIONS_CONFLICT');
  const quoted = ['upload', image, '--host', '127.0.0.1:9', '--field', 'a"b'];
  t.is((await runCommand(quoted, { cwd: folder.path })).error?.code, 'OPTION_INVALID');
});

test('upload --timeout ends the wait for a device that does not respond', async (t) => {
  const silent = createServer((socket) => t.teardown(() => socket.destroy()));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => silent.close());
  const address = silent.address();
  const port = address === null || typeof address === 'string' ? 0 : address.port;
  const folder = await packedDoor(t);
  const argv = [
    'upload',
    image,
    '--host',
    `127.0.0.1:${port}`,
    '--method',
    'web',
    '--timeout',
    '0.1',
    '--attempts',
    '1',
  ];
  const { exitCode, error } = await runCommand(argv, { cwd: folder.path });
  t.is(exitCode, 1);
  t.regex(error?.message ?? '', /unreachable: port \d+ .* is open, but no web server responds/);
});
