import test from 'ava';
import { Discovery } from '../../../src/delivery/discovery.ts';
import { syntheticSketch, type VirtualDevice } from '../../../src/simulator/index.ts';
import { fullDoor } from '../../support/built-sketch.ts';
import { doorFacts, doorKey, listed, packedDoor, restarted, updatesOf, virtualDoor } from '../../support/fleet.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import type { TestFolder } from '../../support/test-folder.ts';

const image = 'build/door.ino.bin';

interface Document {
  readonly devices: readonly {
    readonly outcome: string;
    readonly artifact: string;
    readonly message: string;
    readonly hint: string | null;
    readonly confirmation: { readonly kind: string } | null;
  }[];
}

async function upload(folder: TestFolder, ...argv: string[]) {
  const run: CommandRun = await runCommand(['upload', image, '--all', '--json', ...argv], { cwd: folder.path });
  if (run.stdout === '') throw new Error(run.stderr);
  const [device] = (JSON.parse(run.stdout) as Document).devices;
  if (device === undefined) throw new Error(run.stdout);
  return { ...run, device };
}

/** Reads the ledger from the project folder. */
async function ledgerOf(folder: TestFolder): Promise<{ devices: Record<string, Record<string, unknown>> }> {
  return JSON.parse(await folder.text('.ota/devices.json'));
}

let count = 0;

/** A device that announces a unique host name. */
function announcing(
  t: Parameters<typeof virtualDoor>[0],
  announcesSketchMd5: boolean,
  more = {},
): Promise<VirtualDevice> {
  const hostname = `proof-${process.pid}-${++count}`;
  return virtualDoor(t, { hostname, mdns: { announcesSketchMd5 }, ...more });
}

/** Waits until a device announces itself; from then on, the device answers mDNS queries immediately. */
async function heard(virtualDevice: VirtualDevice): Promise<void> {
  const discovery = await Discovery.open({ interfaces: ['127.0.0.1'] });
  if (!(discovery instanceof Discovery)) throw new Error(discovery.unavailable);
  const { sketchMd5 } = virtualDevice.state;
  await new Promise<void>((resolve) => {
    discovery.watch((device) => {
      if (device.host === `${virtualDevice.hostname}.local` && device.sketchMd5 === sketchMd5) resolve();
    });
  });
  discovery.close();
}

test('upload recognizes the running sketch by its MD5 and then sends the compressed artifact', async (t) => {
  const virtualDevice = await announcing(t, true);
  const folder = await packedDoor(t, { door: listed(virtualDevice) });
  const first = await upload(folder, '--confirm', 'proven');
  t.is(first.exitCode, 0, first.stderr);
  t.is(first.device.artifact, 'door.ino.bin.signed', 'no facts about the device are known yet');
  t.is(first.device.confirmation?.kind, 'proven');
  const facts = 'core, signature check, flash layout, flash mode, chip size';
  const hint = `^door: smaller: door\\.ino\\.bin\\.gz\\.signed \\(9,584 B\\) once these facts are known: ${facts}\\. This upload determines them`;
  t.regex(first.stderr, new RegExp(hint, 'm'));
  const { devices } = await ledgerOf(folder);
  const { sketchMd5 } = await restarted(virtualDevice);
  t.like(devices['door'], {
    sketchMd5,
    provenBy: 'mdns',
    chipAtLeastBytes: 4 * 1024 * 1024,
    facts: { core: '3.1.2', signing: 'required', flashMode: 'dio', fsStart: doorFacts.fsStart, project: 'door' },
  });

  await heard(virtualDevice);
  const second = await upload(folder, '--confirm', 'proven');
  t.is(second.exitCode, 0, second.stderr);
  t.is(second.device.artifact, 'door.ino.bin.gz.signed');
  t.notRegex(second.stderr, /warning|smaller/);
  t.is(second.device.confirmation?.kind, 'proven');

  // A different sketch with the same host name and port, as if flashed over USB.
  await virtualDevice.close();
  const changed = await announcing(t, true, { hostname: virtualDevice.hostname, otaPort: virtualDevice.otaPort });
  t.not(changed.state.sketchMd5, sketchMd5);
  await heard(changed);
  const third = await upload(folder, '--verbose');
  t.is(third.device.artifact, 'door.ino.bin.signed', 'proof for a different sketch does not count');
  t.regex(third.stderr, /door: ignoring recorded facts/);
});

test('upload reports a device as returned, not proven, if it announces no sketch MD5', async (t) => {
  const virtualDevice = await announcing(t, false);
  const folder = await packedDoor(t, { door: listed(virtualDevice) });
  const returned = await upload(folder, '--confirm', 'returned');
  t.is(returned.exitCode, 0, returned.stderr);
  t.deepEqual(returned.device.confirmation, { kind: 'returned', by: 'mdns' });
  t.regex(returned.device.hint ?? '', /sketch_md5/);
  t.false((await folder.list()).includes('.ota/devices.json'));

  const proven = await upload(folder, '--confirm', 'proven');
  t.is(proven.exitCode, 1);
  t.is(proven.device.outcome, 'failed');
  t.regex(proven.error?.message ?? '', /accepted.*returned: .* is not proven/);
});

test('upload detects a restart through espota or the web updater when there is no mDNS', async (t) => {
  const devices = await Promise.all([
    virtualDoor(t),
    virtualDoor(t, { password: 'secret' }),
    virtualDoor(t, { webPort: 0 }),
  ]);
  const [open, locked, web] = devices;
  const folder = await packedDoor(t, {
    open: listed(open),
    locked: listed(locked, { password: { env: 'OTA_DEVICE_DOOR' } }),
    web: { address: web.host, port: web.webPort, method: 'web' },
  });
  const { exitCode, stdout, stderr } = await runCommand(['upload', image, '--all', '--json', '--confirm', 'returned'], {
    cwd: folder.path,
    env: { OTA_DEVICE_DOOR: 'secret' },
  });
  t.is(exitCode, 0, stderr);
  t.deepEqual(
    (JSON.parse(stdout) as Document).devices.map(({ confirmation }) => confirmation),
    ['udp', 'udp', 'http'].map((by) => ({ kind: 'returned', by })),
  );
  const again = await runCommand(['upload', image, '--host', 'locked'], {
    cwd: folder.path,
    env: { OTA_DEVICE_DOOR: 'secret' },
  });
  t.is(again.exitCode, 0, 'the probe did not change the device');
});

test('upload fails when an allowed unsafe update bricks the device', async (t) => {
  // eboot in core 2.7.x reads the signature length as the sketch size (esp8266/Arduino#7577).
  const virtualDevice = await announcing(t, true, { core: '2.7.4' });
  const folder = await packedDoor(t, { door: listed(virtualDevice, { facts: { ...doorFacts, core: '2.7.4' } }) });
  const run = await runCommand(
    [
      'upload',
      `${image}.gz.signed`,
      '--all',
      '--confirm',
      'returned',
      '--allow',
      'gz-signed-old-core',
      '--json',
      '--confirm-timeout',
      '3',
    ],
    { cwd: folder.path },
  );
  t.is(run.exitCode, 1, run.stderr);
  t.is(virtualDevice.state.phase, 'bricked');
  t.regex(run.error?.message ?? '', /not confirmed: the device did not respond after the update/);
});

test('upload finds a device by its mDNS name or by its last known address', async (t) => {
  const virtualDevice = await announcing(t, true);
  const folder = await packedDoor(t, {
    door: { address: `${virtualDevice.hostname}.local`, port: virtualDevice.otaPort },
  });
  await heard(virtualDevice);
  const found = await upload(folder, '--host-ip', '127.0.0.1');
  t.is(found.exitCode, 0, found.stderr);

  const silent = await virtualDoor(t);
  const seen = { method: 'espota', name: 'silent', host: 'silent.local', address: '127.0.0.1', port: silent.otaPort };
  await folder.write(
    '.ota/discovered.json',
    JSON.stringify({ version: 1, devices: [{ ...seen, lastSeen: new Date().toISOString() }] }),
  );
  const argv = ['upload', image, '--host', `silent.local:${silent.otaPort}`, '--host-ip', '127.0.0.1'];
  const remembered = await runCommand(argv, { cwd: folder.path });
  t.is(remembered.exitCode, 0, remembered.stderr);
});

test('upload options override the configured facts about a device', async (t) => {
  const virtualDevice = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(virtualDevice, { facts: { core: '2.5.2' } }) });
  const { keyFingerprint } = doorFacts;
  const facts = [
    '--core',
    '3.1.2',
    '--signing',
    'required',
    '--key-fingerprint',
    keyFingerprint,
    '--flash-mode',
    'dio',
  ];
  const { device } = await upload(folder, ...facts, '--layout', '4m2m', '--sketch-size', '100K');
  t.is(device.artifact, 'door.ino.bin.gz.signed');
});

test('upload sends an intermediate release when no direct update is safe, and proves each hop', async (t) => {
  // The raw sketch does not fit, and core 2.5.2 does not support gzip.
  const layout = { fsStart: 0x70000, fsEnd: 0x80000 };
  const virtualDevice = await announcing(t, true, {
    core: '2.5.2',
    layout,
    image: { sizeBytes: 200 * 1024, publicKey: doorKey },
  });
  const facts = { ...doorFacts, ...layout, core: '2.5.2', sketchSizeBytes: 200 * 1024 };
  const folder = await packedDoor(t, { door: listed(virtualDevice, { facts }) }, {}, fullDoor);
  const refused = await runCommand(['upload', image, '--all'], { cwd: folder.path });
  t.regex(refused.error?.message ?? '', /no-space/);

  await folder.write('small/small.bin', syntheticSketch({ sizeBytes: 40 * 1024, publicKey: doorKey, seed: 7 }));
  const packed = await runCommand(['pack', 'small/small.bin', '--legacy', '--declare-enforcement'], {
    cwd: folder.path,
  });
  t.is(packed.exitCode, 0, packed.stderr);
  // Without an ELF, the manifest does not contain the filesystem layout.
  const manifest = JSON.parse(await folder.text('small/small.bin.ota.json'));
  await folder.write('small/small.bin.ota.json', JSON.stringify({ ...manifest, image: { ...manifest.image, layout } }));
  const run = await upload(folder, '--via', 'small/small.bin', '--allow', 'fs-moved');
  t.is(run.exitCode, 0, run.stderr);
  t.regex(
    run.stderr,
    /sending small\.bin\.legacy_sig.*proven: the device runs the new sketch.*sending door\.ino\.bin\.gz\.signed/s,
  );
  t.deepEqual(updatesOf(virtualDevice), ['accepted', 'accepted']);
  t.is((await restarted(virtualDevice)).core, '3.1.2');
});

test('upload rejects --confirm proven for a filesystem image', async (t) => {
  const virtualDevice = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(virtualDevice) });
  const run = await runCommand(['upload', image, '--all', '--filesystem', '--confirm', 'proven'], { cwd: folder.path });
  t.is(run.exitCode, 2);
  t.regex(run.error?.message ?? '', /^--confirm proven: must be returned or none for a filesystem/);
});
