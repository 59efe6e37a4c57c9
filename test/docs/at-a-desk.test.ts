/** Runs the commands on pages for a reader with a build and devices on the network; here, the devices are virtual. */
import test, { type ExecutionContext } from 'ava';
import type { VirtualDevice } from '../../src/simulator/index.ts';
import { doorFacts, packedDoor, restarted, updatesOf, virtualDoor } from '../support/fleet.ts';
import { freePort } from '../support/free-port.ts';
import { startCli } from '../support/run-cli.ts';
import { runCommand } from '../support/run-command.ts';
import type { TestFolder } from '../support/test-folder.ts';
import { type Act, sectionsOf } from './acts.ts';

const env = { DOOR_PASSWORD: 'of the door', OTA_DEVICE_KITCHEN: 'of the kitchen', OTA_DEVICE_CELLAR: 'of the cellar' };

interface Desk {
  readonly folder: TestFolder;
  readonly kitchen: VirtualDevice;
  readonly cellar: VirtualDevice;
  /** Runs all steps under a heading and returns their output; each command must succeed. */
  readonly follow: (page: string, heading: string) => Promise<string>;
}

async function makeDesk(t: ExecutionContext): Promise<Desk> {
  const [kitchen, cellar] = await Promise.all([virtualDoor(t, { webPort: 0 }), virtualDoor(t)]);
  const folder = await packedDoor(t);
  const hostPort = await freePort();
  /** Fills in the values that a page cannot contain: the device addresses and a free port. */
  const placed = (text: string) =>
    text
      .replace(/--host 192\.168\.1\.20(?=.*--method web)/, `--host ${kitchen.host}:${kitchen.webPort}`)
      .replace('--host 192.168.1.20', `--host ${kitchen.host}:${kitchen.otaPort}`)
      .replace('--host-port 8267', `--host-port ${hostPort}`)
      .replace('"address": "192.168.1.20"', `"address": "${kitchen.host}", "port": ${kitchen.otaPort}`)
      .replace('"address": "cellar.local"', `"address": "${cellar.host}", "port": ${cellar.otaPort}`);
  const settled = async (device: VirtualDevice) => {
    if (updatesTaken(device) > 0) await restarted(device);
  };
  const run = async (command: string): Promise<string> => {
    const argv = placed(command)
      .replace(/^(?:npx )?ota-hooks /, '')
      .split(' ');
    if (argv[0] === 'simulate') return simulate(argv, folder.path);
    const { exitCode, stdout, stderr, error } = await runCommand(argv, { cwd: folder.path, env });
    t.is(exitCode, 0, `${command}\n${error?.message}\n${stderr}`);
    await Promise.all([kitchen, cellar].map(settled));
    return `${stdout}${stderr}`;
  };
  const act = async (one: Act): Promise<string> => {
    if (one.act === 'run') return run(one.command);
    await folder.write(one.path, placed(one.text));
    return '';
  };
  const follow = async (page: string, heading: string) => {
    const section = sectionsOf(page).find((each) => each.heading === heading);
    const shown: string[] = [];
    for (const one of section?.acts ?? []) shown.push(await act(one));
    return shown.join('\n');
  };
  return { folder, kitchen, cellar, follow };
}

/** Runs the simulator until all devices are ready, then interrupts it. */
async function simulate(argv: readonly string[], cwd: string): Promise<string> {
  const count = Number(argv[argv.indexOf('--count') + 1]);
  const simulation = startCli(argv, cwd);
  let shown = '';
  const ready = () => shown.match(/ready/g)?.length ?? 0;
  for await (const line of simulation.iterable({ from: 'stderr' })) {
    shown += `${line}\n`;
    if (ready() === count) simulation.kill('SIGINT');
  }
  await simulation;
  return shown;
}

/** Counts only accepted updates, because a probe is an update that the device rejects. */
function updatesTaken(device: VirtualDevice): number {
  return updatesOf(device).filter((verdict) => verdict === 'accepted').length;
}

test('docs/upload.md: uploads to one device by both methods, then to a fleet', async (t) => {
  const { kitchen, cellar, follow } = await makeDesk(t);
  t.regex(await follow('docs/upload.md', ''), /accepted/);
  t.regex(await follow('docs/upload.md', 'Firewalls'), /accepted/);
  t.is(updatesTaken(kitchen), 3);
  t.regex(await follow('docs/upload.md', 'Update a fleet'), /kitchen.*accepted.*cellar.*accepted/s);
  t.deepEqual([kitchen, cellar].map(updatesTaken), [5, 1]);
});

test('docs/upload.md: starts twenty virtual devices', async (t) => {
  const { follow } = await makeDesk(t);
  t.is((await follow('docs/upload.md', 'Rehearse with virtual devices')).match(/ready/g)?.length, 20);
});

test('README.md: runs preflight, uploads to one device, then to all devices', async (t) => {
  const { folder, kitchen, cellar, follow } = await makeDesk(t);
  const devices = { cellar: { address: cellar.host, port: cellar.otaPort } };
  await folder.write('ota.config.json', JSON.stringify({ project: 'door', devices }));
  await follow('README.md', 'Send an update');
  t.deepEqual([kitchen, cellar].map(updatesTaken), [1, 1]);
});

test('docs/never-brick.md: runs preflight for a file and for a build', async (t) => {
  const { folder, follow } = await makeDesk(t);
  await folder.write('door.json', JSON.stringify(doorFacts));
  t.regex(await follow('docs/never-brick.md', ''), /door\.ino\.bin\.signed/);
});

test('docs/security.md: packs without a private key, signs later and produces the same bytes', async (t) => {
  const { folder, follow } = await makeDesk(t);
  const before = await folder.read('build/door.ino.bin.gz.signed');
  t.regex(await follow('docs/security.md', 'Private keys'), /accept/);
  t.deepEqual(await folder.read('build/door.ino.bin.gz.signed'), before, 'the files are identical');
});
