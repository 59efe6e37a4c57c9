import { utimes } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { parseManifest } from '../../../src/core/model/manifest.ts';
import { door, fullDoor } from '../../support/built-sketch.ts';
import { doorFacts, doorKey, listed, packedDoor, restarted, updatesOf, virtualDoor } from '../../support/fleet.ts';
import { freePort } from '../../support/free-port.ts';
import { buildImage } from '../../support/image-builder.ts';
import { startCli } from '../../support/run-cli.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import type { TestFolder } from '../../support/test-folder.ts';

interface Document {
  readonly release: { readonly kind: string; readonly project: string | null };
  readonly devices: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly artifact?: string;
    readonly message?: string;
    readonly confirmation?: { readonly kind: string } | null;
    readonly blockedBy?: readonly { readonly rule: string }[];
  }[];
  readonly totals: Readonly<Record<string, number>>;
}

const image = 'build/door.ino.bin';

async function upload(folder: TestFolder, ...argv: string[]): Promise<CommandRun & { document: Document }> {
  return uploadWith({}, folder, ...argv);
}

async function uploadWith(
  env: Readonly<Record<string, string>>,
  folder: TestFolder,
  ...argv: string[]
): Promise<CommandRun & { document: Document }> {
  const run = await runCommand(['upload', image, '--json', ...argv], { cwd: folder.path, env });
  const nothing: Document = { release: { kind: '', project: null }, devices: [], totals: {} };
  // upload prints no document if it fails before it has selected devices and planned updates.
  return { ...run, document: run.stdout === '' ? nothing : (JSON.parse(run.stdout) as Document) };
}

function outcomesOf({ devices }: Document): Record<string, string> {
  return Object.fromEntries(devices.map(({ name, outcome }) => [name, outcome]));
}

async function md5sOf(folder: TestFolder): Promise<string[]> {
  const parsed = parseManifest(await folder.text(`${image}.ota.json`));
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.manifest.image.sketchMd5s.map(({ md5 }) => md5);
}

test('upload sends each device the artifact that is safe for it: raw, gzip or legacy', async (t) => {
  const stranger = await virtualDoor(t);
  const friend = await virtualDoor(t);
  const elder = await virtualDoor(t, { core: '2.5.2' });
  const folder = await packedDoor(t, {
    stranger: listed(stranger),
    friend: listed(friend, { facts: doorFacts }),
    elder: listed(elder, { facts: { core: '2.5.2', signing: 'required', keyFingerprint: doorKey.fingerprint } }),
  });
  const { exitCode, document, stderr } = await upload(folder, '--all');
  t.is(exitCode, 0, stderr);
  t.deepEqual(
    document.devices.map(({ name, outcome, artifact }) => [name, outcome, artifact]),
    [
      ['stranger', 'updated', 'door.ino.bin.signed'],
      ['friend', 'updated', 'door.ino.bin.gz.signed'],
      ['elder', 'updated', 'door.ino.bin.legacy_sig'],
    ],
  );
  const md5s = await md5sOf(folder);
  for (const device of [stranger, friend, elder]) t.true(md5s.includes((await restarted(device)).sketchMd5));
});

test('upload sends nothing when one device is blocked, and reports every rule with --verbose', async (t) => {
  const good = await virtualDoor(t);
  const foreign = await virtualDoor(t);
  const folder = await packedDoor(t, {
    good: listed(good),
    foreign: listed(foreign, { facts: { ...doorFacts, keyFingerprint: 'f'.repeat(64) } }),
  });
  const { exitCode, document, error, stderr } = await upload(folder, '--all');
  t.is(exitCode, 3);
  t.is(error?.code, 'UPDATE_BLOCKED');
  t.regex(error?.message ?? '', /wrong-key.*: foreign: /);
  t.notRegex(stderr, /wrong-key|unsigned-to-signed|format-boundary/, 'the error contains the decisive reason');
  const verbose = await upload(folder, '--all', '--verbose');
  for (const rule of ['unsigned-to-signed', 'wrong-key', 'format-boundary']) {
    t.regex(verbose.stderr, new RegExp(`^foreign: door\\.ino\\.bin\\S* is blocked: .*\\(${rule}\\)$`, 'm'));
  }
  t.deepEqual(outcomesOf(document), { good: 'notStarted', foreign: 'blocked' });
  t.true(document.devices.find(({ name }) => name === 'foreign')?.blockedBy?.some(({ rule }) => rule === 'wrong-key'));
  t.deepEqual([...updatesOf(good), ...updatesOf(foreign)], []);
});

test('a blocked upload shows the decisive reason once, with the fix for this reason only', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, {
    door: listed(device, { facts: { ...doorFacts, keyFingerprint: 'f'.repeat(64) } }),
  });
  const { stderr, error } = await upload(folder, '--all');
  t.is(`${stderr}${error?.message}`.match(/signed with key/g)?.length, 1);
  t.regex(error?.message ?? '', /is blocked by wrong-key in door\.ino\.bin\.signed: the artifact is signed with key/);
  t.regex(error?.hint ?? '', /^Sign the artifact with key f{16}…\. Pass --allow wrong-key only if/);
});

test('a build made before the project had keys is blocked for an unknown device', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device) });
  await folder.write('keyless/door.bin', buildImage());
  await runCommand(['pack', 'door.bin'], { cwd: folder.at('keyless') });
  for (const command of [
    ['upload', 'keyless/door.bin', '--all'],
    ['preflight', 'keyless/door.bin.ota.json'],
    ['publish', 'keyless/door.bin', '--to', './keyless', '--firmware-version', '1.0'],
  ]) {
    const { error, exitCode } = await runCommand(command, { cwd: folder.path });
    t.is(exitCode, 3, command.join(' '));
    t.regex(error?.message ?? '', /embedded-key-missing/);
    t.regex(error?.hint ?? '', /Build with `ota-hooks build`/);
  }
  t.deepEqual(updatesOf(device), []);
});

test('upload --skip-blocked updates the other devices and exits with 3', async (t) => {
  const good = await virtualDoor(t);
  const folder = await packedDoor(t, {
    good: listed(good),
    foreign: { address: '127.0.0.1', port: 9, facts: { ...doorFacts, keyFingerprint: 'f'.repeat(64) } },
  });
  const { exitCode, document } = await upload(folder, '--all', '--skip-blocked');
  t.is(exitCode, 3);
  t.deepEqual(outcomesOf(document), { good: 'updated', foreign: 'blocked' });
});

test('upload --allow overrides a rule by name and prints it as a warning', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device, { board: 'nodemcuv2' }) }, { board: 'd1_mini' });
  t.is((await upload(folder, '--all', '--allow', 'wrong-key')).exitCode, 3);
  const { exitCode, stderr } = await upload(folder, '--all', '--allow', 'other-project');
  t.is(exitCode, 0);
  t.regex(stderr, /warning: door: .*\(other-project\)/);
  t.is((await upload(folder, '--all', '--allow', 'everything')).exitCode, 2);
});

test('upload --canary sends nothing to the other devices when the canary fails', async (t) => {
  const canary = await virtualDoor(t, { faults: { callBack: 'never' }, password: 'secret' });
  const other = await virtualDoor(t);
  const folder = await packedDoor(t, { canary: listed(canary), other: listed(other) });
  const { exitCode, document, error } = await upload(folder, '--all', '--canary', '1');
  t.is(exitCode, 1);
  t.deepEqual(outcomesOf(document), { canary: 'failed', other: 'notStarted' });
  t.regex(error?.message ?? '', /^The update failed on 2 of 2 devices: canary \(.*\), other$/);
  t.deepEqual(updatesOf(other), []);
});

test('upload --canary continues when the canary is back online', async (t) => {
  const canary = await virtualDoor(t);
  const other = await virtualDoor(t);
  const folder = await packedDoor(t, { canary: listed(canary), other: listed(other) });
  const { exitCode, document } = await upload(folder, '--all', '--canary', '1');
  t.is(exitCode, 0);
  t.deepEqual(outcomesOf(document), { canary: 'updated', other: 'updated' });
  t.is(document.devices[0]?.confirmation?.kind, 'returned');
});

test('upload --resume skips devices that were already updated, but only for the same build', async (t) => {
  const done = await virtualDoor(t);
  const locked = await virtualDoor(t, { password: 'secret' });
  const folder = await packedDoor(t, { done: listed(done), locked: listed(locked) });
  t.deepEqual(outcomesOf((await upload(folder, '--all')).document), { done: 'updated', locked: 'failed' });
  const resumed = await uploadWith({ PASSWORD: 'secret' }, folder, '--all', '--resume', '--password-env', 'PASSWORD');
  t.is(resumed.exitCode, 0);
  t.deepEqual(outcomesOf(resumed.document), { done: 'alreadyUpdated', locked: 'updated' });
  t.deepEqual(updatesOf(done), ['accepted']);

  const again = await upload(folder, '--host', 'done');
  t.deepEqual(outcomesOf(again.document), { done: 'updated' }, 'without --resume, all devices are updated again');

  await folder.write(image, Buffer.concat([door.bin.subarray(0, -16), Buffer.alloc(16)]));
  const { error } = await upload(folder, '--all', '--resume');
  t.is(error?.code, 'ARTIFACT_CHANGED', 'artifacts of a different image are not sent');
});

test('upload sends the raw image to a device with unknown facts, even if the build compresses the image', async (t) => {
  const unknown = await virtualDoor(t);
  const known = await virtualDoor(t);
  const sketch = { ...door, bin: gzipSync(door.bin) };
  const folder = await packedDoor(
    t,
    { unknown: listed(unknown), known: listed(known, { facts: doorFacts }) },
    {},
    sketch,
  );
  const { exitCode, document, stderr } = await upload(folder, '--all');
  t.is(exitCode, 0, stderr);
  t.deepEqual(
    document.devices.map(({ artifact }) => artifact),
    ['door.ino.bin.raw.signed', 'door.ino.bin.signed'],
  );
  for (const device of [unknown, known]) t.true((await md5sOf(folder)).includes((await restarted(device)).sketchMd5));
});

test('upload rejects an artifact that changed after packing', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device) });
  await folder.write(`${image}.signed`, (await folder.read(`${image}.signed`)).subarray(1));
  const { error } = await upload(folder, '--all');
  t.is(error?.code, 'ARTIFACT_CHANGED');
  t.deepEqual(updatesOf(device), []);
});

test('upload does not replace the named artifact with a different artifact', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device, { facts: doorFacts }) });
  const send = (file: string) => runCommand(['upload', file, '--all', '--json'], { cwd: folder.path });
  const raw = await send(`${image}.signed`);
  t.is((JSON.parse(raw.stdout) as Document).devices[0]?.artifact, 'door.ino.bin.signed');
  t.is((await send(`${image}.legacy_sig`)).error?.code, 'UPDATE_BLOCKED');
  const manifest = await send(`${image}.ota.json`);
  t.is((JSON.parse(manifest.stdout) as Document).devices[0]?.artifact, 'door.ino.bin.gz.signed');
});

test('upload lists several builds, and sends the one of --environment', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device) });
  for (const name of ['door.ino.bin', 'door.ino.elf']) {
    await folder.write(`.pio/build/d1/${name}`, await folder.read(`build/${name}`));
  }
  const pack = await runCommand(['pack', '.pio/build/d1/door.ino.bin', '--firmware-version', '9'], {
    cwd: folder.path,
  });
  t.is(pack.exitCode, 0, pack.stderr);
  const send = (...argv: string[]) => runCommand(['upload', '--all', ...argv], { cwd: folder.path });
  t.is((await send()).exitCode, 0, 'the image and its copy count as one build');
  await restarted(device);

  const manifest = JSON.parse(await folder.text('.pio/build/d1/door.ino.bin.ota.json'));
  await folder.write(
    '.pio/build/d2/door.ino.bin.ota.json',
    JSON.stringify({ ...manifest, image: { ...manifest.image, sha256: 'ab'.repeat(32) } }),
  );
  const { exitCode, error } = await send();
  t.is(exitCode, 2);
  t.is(error?.code, 'BUILD_AMBIGUOUS');
  for (const path of ['build/door.ino.bin', '.pio/build/d1/door.ino.bin', '.pio/build/d2/door.ino.bin']) {
    t.true(error?.message.includes(folder.at(path)), path);
  }
  t.regex(error?.hint ?? '', /-e build/);
  const { error: notBuilt } = await send('-e', 'd3');
  t.regex(notBuilt?.message ?? '', /--environment.*d3.*build, d1, d2/);
  t.is((await send(image, '-e', 'd1')).error?.code, 'OPTIONS_CONFLICT');
  const sent = await send('-e', 'd1');
  t.is(sent.exitCode, 0, sent.stderr);
  t.regex(sent.stderr, /^Sending \.pio\/build\/d1\/door\.ino\.bin\.signed$/m);
});

test('upload and publish name a build of an environment without the hook, and upload sends no other build in its place', async (t) => {
  const folder = await packedDoor(t, { door: listed(await virtualDoor(t)) });
  const environment = 'platform = espressif8266\nboard = d1_mini\nframework = arduino\n';
  const hook = 'extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py\n';
  const esp32 = '[env:esp32]\nplatform = espressif32\n';
  await folder.write('platformio.ini', `[env:d1]\n${environment}${hook}[env:d2]\n${environment}${esp32}`);
  await folder.write('node_modules/ota-hooks/hooks/platformio.py', '"""PlatformIO hook of ota-hooks"""\n');
  const run = (...argv: string[]) => runCommand(argv, { cwd: folder.path, env: { PATH: '' } });
  const upload = (...argv: string[]) => run('upload', '--all', ...argv);
  const buildAt = async (name: string, time: number) => {
    await utimes(await folder.write(`.pio/build/${name}/firmware.bin`, door.bin), time, time);
  };
  await buildAt('d2', Date.now() / 1000 - 3600);
  await buildAt('esp32', Date.now() / 1000 + 3600);
  t.is((await upload()).error, undefined, 'the packed build is newer than that of d2');

  await buildAt('d2', Date.now() / 1000 + 3600);
  for (const argv of [[], ['-e', 'd2']]) {
    const { error } = await upload(...argv);
    t.is(error?.code, 'BUILD_NOT_HOOKED');
    t.regex(error?.message ?? '', /environment d2 .*does not run the hook/);
  }
  t.is((await upload('-e', 'd1')).error?.code, 'OPTION_INVALID', 'd1 runs the hook and is not built');
  await folder.write('www/.keep', '');
  const { stderr } = await run('publish', '--to', './www');
  t.regex(stderr, /warning: the firmware of the environment d2 is not published/);
});

test('upload without a file sends the only build of the project and prints its path', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device) });
  const { exitCode, stdout, stderr } = await runCommand(['upload', '--all', '--json'], { cwd: folder.path });
  t.is(exitCode, 0, stderr);
  t.is((JSON.parse(stdout) as Document).devices[0]?.artifact, 'door.ino.bin.signed');
  t.regex(stderr, /^Sending build\/door\.ino\.bin\.signed$/m);
  t.is((await runCommand(['upload', '--all', '--filesystem'], { cwd: folder.path })).error?.code, 'IMAGES_NONE');
});

test('upload inspects a file without a manifest and finds the key that verifies its signature', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device) });
  await folder.write('other/door.bin', await folder.read(`${image}.signed`));
  const { exitCode, stderr } = await runCommand(['upload', 'other/door.bin', '--all'], { cwd: folder.path });
  t.is(exitCode, 0, stderr);
  await restarted(device);
  const unsigned = await folder.write('other/unsigned.bin', door.bin);
  const blockedBy = await runCommand(['upload', unsigned, '--all'], { cwd: folder.path });
  t.regex(blockedBy.error?.message ?? '', /unsigned-to-signed/, 'a project with a key sends nothing unsigned');
});

test('upload selects devices by host list, name, address or group, and fails without a match', async (t) => {
  const one = await virtualDoor(t);
  const two = await virtualDoor(t);
  const folder = await packedDoor(t, { one: listed(one, { group: 'inside' }) });
  const { document } = await upload(folder, '--host', `one,${two.host}:${two.otaPort}`);
  t.deepEqual(outcomesOf(document), { one: 'updated', [`${two.host}:${two.otaPort}`]: 'updated' });
  t.deepEqual(outcomesOf((await upload(folder, '--group', 'inside')).document), { one: 'updated' });
  for (const argv of [[], ['--group', 'outside'], ['--all', '--host', 'one'], ['--host', '1.2.3'], ['--port', '0']]) {
    t.is((await upload(folder, ...argv)).exitCode, 2, argv.join(' '));
  }
});

test('upload ignores an unexpanded port property and finds the project through build.options.json', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device) });
  await folder.write('build/build.options.json', JSON.stringify({ sketchLocation: folder.path }));
  const argv = ['upload', folder.at(image), '--host', device.host, '--port', '{upload.port.properties.port}'];
  const { exitCode, stderr } = await runCommand(argv, { cwd: '/' });
  t.is(exitCode, 0, stderr);
});

test('upload updates several devices with a fixed --host-port', async (t) => {
  const devices = await Promise.all([virtualDoor(t), virtualDoor(t), virtualDoor(t)]);
  const folder = await packedDoor(
    t,
    Object.fromEntries(devices.map((device, index) => [`door-${index}`, listed(device)])),
  );
  const fixed = ['--host-ip', '127.0.0.1', '--host-port', String(await freePort())];
  const { exitCode, stderr } = await upload(folder, '--all', ...fixed);
  t.is(exitCode, 0, stderr);
});

test('upload prints a line at the start and end of each update, and a summary table', async (t) => {
  const devices = await Promise.all([virtualDoor(t), virtualDoor(t, { password: 'secret' })]);
  const folder = await packedDoor(t, { kitchen: listed(devices[0]), cellar: listed(devices[1]) }, {}, fullDoor);
  const { stdout, stderr } = await runCommand(['upload', image, '--all'], { cwd: folder.path });
  t.regex(stderr, /^kitchen {2}sending door\.ino\.bin\.signed \(279 KB\)$/m);
  t.regex(stderr, /^kitchen {2}accepted; the device restarts \(\d+\.\d s\)$/m);
  t.regex(stderr, /^cellar {3}rejected: .*\n {2}\S/m);
  t.regex(stdout, /^device {3}address .*outcome\nkitchen .*updated: accepted\ncellar .*failed: rejected\n$/);
});

test('upload shows progress bars in a terminal and keeps the result line of each device', async (t) => {
  // The stall is longer than the redraw interval.
  const device = await virtualDoor(t, { faults: { transfer: { what: 'stall', at: 0.5, stallMs: 1000 } } });
  const folder = await packedDoor(t, { kitchen: listed(device) }, {}, fullDoor);
  const { stderr } = await runCommand(['upload', image, '--all'], { cwd: folder.path, fancy: true });
  t.regex(stderr, /kitchen {2}\[#*\.+\] +\d+% of 279 KB\n/);
  t.regex(stderr, /\[J.*kitchen {2}accepted; the device restarts/s);
});

test('upload exits with 130 on Ctrl-C', async (t) => {
  const device = await virtualDoor(t, { faults: { transfer: { what: 'half-open', at: 0.5 } } });
  // With a known flash mode, preflight prints no warning that contains "unknown".
  const folder = await packedDoor(t, { door: { ...listed(device), facts: { flashMode: 'dio' } } });
  const running = startCli(['upload', image, '--all'], folder.path);
  await new Promise<void>((resolve) => {
    running.stderr?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('sending')) resolve();
    });
  });
  running.kill('SIGINT');
  const { exitCode, stderr, stdout } = await running;
  t.is(exitCode, 130);
  // An upload that ignored Ctrl-C until the device timeout would print "unknown" or "failed".
  t.notRegex(`${stderr}${stdout}`, /unknown|failed/);
});
