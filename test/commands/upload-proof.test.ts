import test from 'ava';
import type { VirtualEsp } from '../../src/simulator/index.ts';
import { doorFacts, listed, packedDoor, restarted, virtualDoor } from '../support/fleet.ts';
import { runVerb, type VerbRun } from '../support/run-verb.ts';
import type { TestFolder } from '../support/test-folder.ts';

const image = 'build/door.ino.bin';

interface Document {
  readonly devices: readonly {
    readonly outcome: string;
    readonly artefact: string;
    readonly words: string;
    readonly hint: string | null;
    readonly confirmation: { readonly kind: string } | null;
  }[];
}

async function upload(folder: TestFolder, ...argv: string[]) {
  const run: VerbRun = await runVerb(['upload', image, '--all', '--json', ...argv], { cwd: folder.path });
  if (run.stdout === '') throw new Error(run.stderr);
  const [device] = (JSON.parse(run.stdout) as Document).devices;
  if (device === undefined) throw new Error(run.stdout);
  return { ...run, device };
}

/** As it stands in the folder of the project. */
async function ledgerOf(folder: TestFolder): Promise<{ devices: Record<string, Record<string, unknown>> }> {
  return JSON.parse(await folder.text('.ota/devices.json'));
}

let count = 0;

/** A device that announces itself under a name that no other test has. */
function announcing(t: Parameters<typeof virtualDoor>[0], tellsSketchMd5: boolean, more = {}): Promise<VirtualEsp> {
  const hostname = `proof-${process.pid}-${++count}`;
  return virtualDoor(t, { hostname, mdns: { tellsSketchMd5 }, ...more });
}

test('a device that shows its sketch is proven, and from then on known well enough for gzip', async (t) => {
  const esp = await announcing(t, true);
  const folder = await packedDoor(t, { door: listed(esp) });
  const first = await upload(folder, '--confirm', 'proven');
  t.is(first.exitCode, 0, first.stderr);
  t.is(first.device.artefact, 'door.ino.bin.signed', 'nothing is known of it yet');
  t.is(first.device.confirmation?.kind, 'proven');
  const { devices } = await ledgerOf(folder);
  const { sketchMd5 } = await restarted(esp);
  t.like(devices['door'], {
    sketchMd5,
    provenBy: 'mdns',
    chipAtLeastBytes: 4 * 1024 * 1024,
    facts: { core: '3.1.2', signing: 'required', flashMode: 'dio', fsStart: doorFacts.fsStart, project: 'door' },
  });

  const second = await upload(folder, '--confirm', 'proven');
  t.is(second.exitCode, 0, second.stderr);
  t.is(second.device.artefact, 'door.ino.bin.gz.signed');
  t.is(second.device.confirmation?.kind, 'proven');

  // A device of another kind in its place, as after an afternoon with a cable.
  await esp.close();
  const changed = await announcing(t, true, { hostname: esp.hostname, otaPort: esp.otaPort });
  t.not(changed.state.sketchMd5, sketchMd5);
  const third = await upload(folder, '--verbose');
  t.is(third.device.artefact, 'door.ino.bin.signed', 'what was proven of another sketch does not count');
  t.regex(third.stderr, /door: it does not show the sketch that the ledger knows/);
});

test('a device that comes back without showing its sketch is returned, not proven', async (t) => {
  const esp = await announcing(t, false);
  const folder = await packedDoor(t, { door: listed(esp) });
  const returned = await upload(folder, '--confirm', 'returned');
  t.is(returned.exitCode, 0, returned.stderr);
  t.deepEqual(returned.device.confirmation, { kind: 'returned', by: 'mdns' });
  t.regex(returned.device.hint ?? '', /sketch_md5/);
  t.false((await folder.list()).includes('.ota/devices.json'));

  const proven = await upload(folder, '--confirm', 'proven');
  t.is(proven.exitCode, 1);
  t.is(proven.device.outcome, 'failed');
  t.regex(proven.error?.message ?? '', /accepted.*returned, but what it runs is not proven/);
});

test('without mDNS a device returns by espota, with a password or without, and by its web page', async (t) => {
  const esps = await Promise.all([
    virtualDoor(t),
    virtualDoor(t, { password: 'secret' }),
    virtualDoor(t, { webPort: 0 }),
  ]);
  const [open, locked, web] = esps;
  const folder = await packedDoor(t, {
    open: listed(open),
    locked: listed(locked, { password: { env: 'DOOR' } }),
    web: { address: web.host, port: web.webPort, method: 'web' },
  });
  const { exitCode, stdout, stderr } = await runVerb(['upload', image, '--all', '--json', '--confirm', 'returned'], {
    cwd: folder.path,
    env: { DOOR: 'secret' },
  });
  t.is(exitCode, 0, stderr);
  t.deepEqual(
    (JSON.parse(stdout) as Document).devices.map(({ confirmation }) => confirmation),
    ['udp', 'udp', 'http'].map((by) => ({ kind: 'returned', by })),
  );
  const again = await runVerb(['upload', image, '--host', 'locked'], { cwd: folder.path, env: { DOOR: 'secret' } });
  t.is(again.exitCode, 0, 'the question left the device as it was');
});

test('a device that is bricked by an update that was allowed does not come back, and that is no success', async (t) => {
  // eboot of 2.7.x takes the signature's length for the size of the sketch (esp8266/Arduino#7577).
  const esp = await announcing(t, true, { core: '2.7.4' });
  const folder = await packedDoor(t, { door: listed(esp, { facts: { ...doorFacts, core: '2.7.4' } }) });
  const run = await runVerb(
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
      '5',
    ],
    { cwd: folder.path },
  );
  t.is(run.exitCode, 1, run.stderr);
  t.is(esp.state.phase, 'bricked');
  t.regex(run.error?.message ?? '', /it did not come back/);
});

test('a filesystem shows nothing of itself, so that it can only be seen that the device is back', async (t) => {
  const esp = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(esp) });
  const run = await runVerb(['upload', image, '--all', '--filesystem', '--confirm', 'proven'], { cwd: folder.path });
  t.is(run.exitCode, 2);
  t.regex(run.error?.message ?? '', /a filesystem cannot be proven/);
});
