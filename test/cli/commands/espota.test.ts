import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { syntheticSketch, type VirtualDevice } from '../../../src/simulator/index.ts';
import { quickDevice, verdictsOf } from '../../delivery/quick.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { startCli } from '../../support/run-cli.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const password = 'hunter2-of-the-door';
const pems = rsaPems();
const publicKey = readPublicKey(pems.publicPem, 'public.key');
const image = syntheticSketch({ sizeBytes: 60 * 1024, seed: 12, publicKey });

/** A packed project with a signing key. */
async function packedProject(t: ExecutionContext): Promise<TestFolder> {
  const folder = await testFolder(t, {
    'firmware.bin': image,
    'private.key': pems.privatePem,
    'public.key': pems.publicPem,
  });
  const packed = await runCommand(['pack', 'firmware.bin', '--declare-enforcement'], { cwd: folder.path });
  t.is(packed.exitCode, 0, `${packed.error?.message}`);
  return folder;
}

function sendTo(
  device: Pick<VirtualDevice, 'host' | 'otaPort'>,
  folder: TestFolder,
  argv: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandRun> {
  const place = ['-i', device.host, '-p', String(device.otaPort)];
  return runCommand(['espota', ...place, '-f', 'firmware.bin', ...argv], { cwd: folder.path, env });
}

test('espota sends the signed file listed in the manifest when platform.txt passes the image', async (t) => {
  const folder = await packedProject(t);
  const device = await quickDevice(t, { publicKey });
  const argv = ['-i', device.host, '-p', String(device.otaPort), '--auth=', '-f', 'firmware.bin'];
  const { exitCode, stdout, stderr } = await runCommand(['espota', ...argv], { cwd: folder.path });
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /Uploading firmware\.bin\.signed/);
  t.notRegex(stderr, /warning/);
  t.is(stdout, '');
  t.deepEqual(verdictsOf(device), ['accepted']);
});

test('espota accepts --debug and --progress as PlatformIO passes them', async (t) => {
  const folder = await testFolder(t, { 'firmware.bin': image });
  const device = await quickDevice(t);
  const { exitCode, stderr } = await sendTo(device, folder, ['--debug', '--progress']);
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /Uploading: 100%/);
  t.regex(stderr, /Waiting for the device to connect/);
});

test('espota sends the image when there is no signed file', async (t) => {
  const folder = await testFolder(t, { 'firmware.bin': image });
  const device = await quickDevice(t);
  const { exitCode, stderr } = await sendTo(device, folder);
  t.is(exitCode, 0);
  t.regex(stderr, /Uploading firmware\.bin \(/);
});

test('espota sends a file signed by a different tool if the file contains the current image', async (t) => {
  const folder = await packedProject(t);
  const signed = await folder.read('firmware.bin.signed');
  const other = await testFolder(t, { 'firmware.bin': image, 'firmware.bin.signed': signed });
  const device = await quickDevice(t, { publicKey });
  const { exitCode, stderr } = await sendTo(device, other);
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /Uploading firmware\.bin\.signed/);
});

/** Inconsistent, missing or damaged files. espota must send nothing in these cases. */
const misfits: [title: string, prepare: (folder: TestFolder) => Promise<unknown>, message: RegExp][] = [
  [
    'a stale signed file',
    async (folder) => {
      await rm(folder.at('firmware.bin.ota.json'));
      await folder.write('firmware.bin', syntheticSketch({ sizeBytes: 60 * 1024, seed: 13 }));
    },
    /firmware\.bin\.signed was not sent: its content is not the current image/,
  ],
  [
    'an image that was rebuilt after packing',
    (folder) => folder.write('firmware.bin', syntheticSketch({ sizeBytes: 60 * 1024, seed: 13 })),
    /firmware\.bin does not match .*firmware\.bin\.ota\.json/,
  ],
  [
    'a signed file that changed after packing',
    async (folder) =>
      folder.write('firmware.bin.signed', Buffer.concat([await folder.read('firmware.bin.signed'), Buffer.of(0)])),
    /firmware\.bin\.signed does not match .*firmware\.bin\.ota\.json/,
  ],
  [
    'a truncated signed file',
    async (folder) => {
      await rm(folder.at('firmware.bin.ota.json'));
      await folder.write('firmware.bin.signed', (await folder.read('firmware.bin.signed')).subarray(0, -8));
    },
    /firmware\.bin\.signed was not sent: its content is not the current image/,
  ],
  ['a damaged manifest', (folder) => folder.write('firmware.bin.ota.json', '{}'), /is not a valid manifest/],
  ['a missing image', (folder) => rm(folder.at('firmware.bin')), /^Image not found: /],
  ['an empty image', (folder) => folder.write('firmware.bin', ''), /is empty/],
];
for (const [title, prepare, message] of misfits) {
  test(`espota sends nothing with ${title}`, async (t) => {
    const folder = await packedProject(t);
    await prepare(folder);
    const device = await quickDevice(t);
    const { exitCode, error } = await sendTo(device, folder);
    t.not(exitCode, 0);
    t.regex(error?.message ?? '', message);
    t.deepEqual(verdictsOf(device), []);
  });
}

test('espota sends nothing if the project has a key but the build is not signed', async (t) => {
  const folder = await testFolder(t, { 'firmware.bin': image, 'public.key': pems.publicPem });
  await runCommand(['pack', 'firmware.bin', '--unsigned', '--declare-enforcement'], { cwd: folder.path });
  const device = await quickDevice(t);
  const { error } = await sendTo(device, folder);
  t.regex(error?.message ?? '', /firmware\.bin\.ota\.json cannot be used: .* the build is not signed$/);
  t.deepEqual(verdictsOf(device), []);
});

test('espota -s rejects a sketch image', async (t) => {
  const folder = await testFolder(t, { 'firmware.bin': image });
  const device = await quickDevice(t);
  const { error, exitCode } = await sendTo(device, folder, ['-s']);
  t.is(exitCode, 2);
  t.regex(error?.message ?? '', /firmware\.bin is not a filesystem image: it is a sketch image$/);
});

test('espota --spiffs sends a filesystem image in an unrecognized format', async (t) => {
  const folder = await testFolder(t, { 'firmware.bin': new Uint8Array(8192).fill(0x5c) });
  const device = await quickDevice(t, { layout: { fsStart: 0x200000, fsEnd: 0x3fa000 } });
  t.is((await sendTo(device, folder, ['--spiffs'])).exitCode, 0);
});

test('espota exits with 1 and prints the device error with a hint when the update is rejected', async (t) => {
  const folder = await testFolder(t, { 'firmware.bin': new Uint8Array(20_000).fill(0x02) });
  const device = await quickDevice(t);
  const { exitCode, error, stdout } = await sendTo(device, folder, ['--json']);
  t.is(exitCode, 1);
  t.regex(error?.message ?? '', /ERROR\[10\]: Magic byte is not 0xE9/);
  t.regex(error?.hint ?? '', /not a firmware image/);
  const document = JSON.parse(stdout);
  t.like(document, {
    host: device.host,
    port: device.otaPort,
    sizeBytes: 20_000,
    verdict: { kind: 'rejected', code: 10 },
  });
});

test('espota --json prints one document, and --quiet prints nothing on stderr', async (t) => {
  const folder = await packedProject(t);
  const device = await quickDevice(t, { publicKey });
  const { stdout, stderr } = await sendTo(device, folder, ['--json', '--quiet', '--progress']);
  t.like(JSON.parse(stdout), { verdict: { kind: 'accepted' }, file: folder.at('firmware.bin.signed') });
  t.is(stderr, '');
});

test('espota reads the password from the environment, or from -a with a warning, and never prints it', async (t) => {
  const folder = await testFolder(t, { 'firmware.bin': image });
  const runs: [argv: string[], warns: boolean, right: boolean][] = [
    [['--password-env', 'DOOR'], false, true],
    [['-a', password], true, true],
    [[`--auth=${password}`], true, true],
    [['--password-env', 'DOOR'], false, false],
    [['-a', password], true, false],
  ];
  for (const [argv, warns, right] of runs) {
    const device = await quickDevice(t, { password: right ? password : 'another' });
    const run = await sendTo(device, folder, [...argv, '--debug', '--json'], { DOOR: password });
    t.is(run.exitCode, right ? 0 : 1, run.stderr);
    t.is(/warning: .*--password-env/.test(run.stderr), warns);
    t.false(JSON.stringify([run, run.error?.message, run.error?.hint]).includes(password));
    await device.close();
  }
  const missing = await sendTo({ host: '127.0.0.1', otaPort: 9 }, folder, ['--password-env', 'DOOR']);
  t.is(missing.exitCode, 2);
  t.is(missing.error?.code, 'SECRET_MISSING');
});

test('espota rejects missing options and invalid ports as usage errors', async (t) => {
  const folder = await testFolder(t, { 'firmware.bin': image });
  const wrong = [
    ['-f', 'firmware.bin'],
    ['-i', '127.0.0.1'],
    ['-i', '127.0.0.1', '-f', 'firmware.bin', '-p', '0'],
    ['-i', '127.0.0.1', '-f', 'firmware.bin', '-P', '65536'],
    ['-i', '127.0.0.1', '-f', 'firmware.bin', '-p', '80x'],
  ];
  for (const argv of wrong)
    t.is((await runCommand(['espota', ...argv], { cwd: folder.path })).exitCode, 2, argv.join(' '));
});

test('espota exits with 130 on Ctrl-C', async (t) => {
  const folder = await testFolder(t, { 'firmware.bin': image });
  const silent = createSocket('udp4');
  t.teardown(() => silent.close());
  silent.bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const invited = once(silent, 'message');
  const argv = ['espota', '-i', '127.0.0.1', '-p', String(silent.address().port), '-f', 'firmware.bin'];
  const running = startCli(argv, folder.path);
  await invited;
  running.kill('SIGINT');
  const { exitCode, stderr } = await running;
  t.is(exitCode, 130);
  // An upload that ignored Ctrl-C would time out and report the device as unreachable.
  t.notRegex(stderr, /unreachable/);
});
