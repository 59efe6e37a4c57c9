import test, { type ExecutionContext } from 'ava';
import type { VirtualDevice } from '../../../src/simulator/index.ts';
import type { MdnsOptions } from '../../../src/simulator/mdns.ts';
import { virtualDoor } from '../../support/fleet.ts';
import { startCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

interface Found {
  readonly host: string;
  readonly method: string;
  readonly address: string;
  readonly port: number;
  readonly board: string | null;
  readonly auth: boolean | null;
  readonly sketchMd5: string | null;
  readonly inventory: string | null;
}

let count = 0;

/** Starts a device with a unique host name, because all tests on this machine share one loopback interface. */
function announced(t: ExecutionContext, mdns: MdnsOptions = {}, more = {}): Promise<VirtualDevice> {
  return virtualDoor(t, { hostname: `found-${process.pid}-${++count}`, mdns, ...more });
}

async function discover(folder: TestFolder, ...argv: string[]) {
  return runCommand(['discover', '--interface', '127.0.0.1', ...argv], { cwd: folder.path });
}

async function discoverJson(folder: TestFolder, ...argv: string[]) {
  const run = await discover(folder, '--json', ...argv);
  return { ...run, ...(JSON.parse(run.stdout) as { devices: Found[]; previouslyFound: Found[] }) };
}

/** Waits until the device has announced itself. */
const patiently = ['--watch', '--timeout', '0.1'];

function adding(folder: TestFolder, name: string, ...argv: string[]) {
  return discover(folder, '--add', name, ...patiently, ...argv);
}

/** Retries with increasing timeouts until the device is found. One second is enough on a fast machine. */
async function untilHeard<Run>(listen: (...argv: string[]) => Promise<Run>, hasHeard: (run: Run) => boolean) {
  let seconds = 1;
  for (;;) {
    const run = await listen('--timeout', String(seconds));
    if (hasHeard(run) || seconds > 60) return run;
    seconds *= 2;
  }
}

test('discover lists an announced device, and lists it as previously found after its shutdown', async (t) => {
  const device = await announced(
    t,
    { board: 'ESP8266_WEMOS_D1MINI', announcesSketchMd5: true },
    { password: 'secret', webPort: 0 },
  );
  const folder = await testFolder(t, {
    'ota.config.json': JSON.stringify({ devices: { kitchen: { address: `${device.hostname}.local` } } }),
  });
  const isMine = ({ host }: Found) => host === `${device.hostname}.local`;
  const { devices } = await untilHeard(
    (...argv) => discoverJson(folder, ...argv),
    (run) => run.devices.filter(isMine).length === 2,
  );
  const mine = devices.filter(isMine);
  const common = {
    host: `${device.hostname}.local`,
    address: '127.0.0.1',
    inventory: 'kitchen',
    name: device.hostname,
  };
  t.deepEqual(
    mine.sort((a, b) => (a.method < b.method ? -1 : 1)),
    [
      {
        ...common,
        method: 'espota',
        port: device.otaPort,
        board: 'ESP8266_WEMOS_D1MINI',
        auth: true,
        sketchMd5: device.state.sketchMd5,
      },
      { ...common, method: 'web', port: device.webPort, board: null, auth: null, sketchMd5: device.state.sketchMd5 },
    ],
  );

  const row = new RegExp(
    `^${device.hostname}\\.local +127\\.0\\.0\\.1:${device.otaPort} +espota +ESP8266_WEMOS_D1MINI +yes +now +kitchen$`,
    'm',
  );
  const shown = await untilHeard(
    (...argv) => discover(folder, ...argv),
    ({ stdout }) => row.test(stdout),
  );
  t.regex(shown.stdout, row);

  await device.close();
  const later = await discoverJson(folder, '--timeout', '0.5');
  t.false(later.devices.some(({ host }) => host === common.host));
  t.true(later.previouslyFound.some(({ host, port }) => host === common.host && port === device.otaPort));
});

test('discover --add adds a device only once and preserves the rest of the configuration', async (t) => {
  const device = await announced(t, { board: 'PLATFORMIO_D1_MINI' });
  const folder = await testFolder(t, { 'ota.config.json': '{\n    "project": "door",\n    "board": "d1_mini"\n}\n' });
  const run = await adding(folder, device.hostname, '--group', 'inside', '--password-env', 'DOOR');
  t.is(run.exitCode, 0, run.stderr);
  const entry = {
    address: `${device.hostname}.local`,
    port: device.otaPort,
    board: 'd1_mini',
    group: 'inside',
    password: { env: 'DOOR' },
  };
  const text = await folder.text('ota.config.json');
  t.true(text.startsWith('{\n    "project": "door",\n    "board": "d1_mini",\n    "devices": {\n'));
  t.deepEqual(JSON.parse(text), { project: 'door', board: 'd1_mini', devices: { [device.hostname]: entry } });
  t.is(
    (await adding(folder, device.hostname)).error?.code,
    'DEVICE_NOT_ADDED',
    'rejects a device that is already in the configuration',
  );
});

test('discover --add rejects a device whose board differs from the configured board unless --board names it', async (t) => {
  const device = await announced(t, { board: 'ESP8266_NODEMCU_ESP12E' });
  const folder = await testFolder(t, { 'ota.config.json': '{"board": "nodemcuv2"}' });
  const argv = ['--add', 'kitchen', '--host', `${device.hostname}.local`];
  const why = /announces board ESP8266_NODEMCU_ESP12E, but the project is for nodemcuv2/;
  const refused = await discover(folder, ...argv, ...patiently);
  t.is(refused.exitCode, 1);
  t.regex(refused.error?.message ?? '', why);
  t.is(await folder.text('ota.config.json'), '{"board": "nodemcuv2"}');
  t.is((await discover(folder, ...argv, ...patiently, '--board', 'ESP8266_NODEMCU_ESP12E')).exitCode, 0);
  t.true((await folder.text('ota.config.json')).includes('"kitchen"'));
});

test('discover --add leaves a YAML configuration unchanged and shows the entry to add', async (t) => {
  const device = await announced(t);
  const folder = await testFolder(t, { 'ota.config.yaml': '# ours\nproject: door\n' });
  const { exitCode, error } = await adding(folder, device.hostname);
  t.is(exitCode, 1);
  t.regex(error?.hint ?? '', new RegExp(`"${device.hostname}": \\{"address":"${device.hostname}\\.local"`));
  t.is(await folder.text('ota.config.yaml'), '# ours\nproject: door\n');
});

test('discover creates no files when it finds no device', async (t) => {
  const folder = await testFolder(t);
  t.is((await discover(folder, '--add', 'nobody-at-all', '--timeout', '0.5')).error?.code, 'DEVICE_NOT_ADDED');
  await discover(folder, '--timeout', '0.5');
  t.deepEqual(await folder.list(), []);
});

test('discover --add creates a configuration and warns that the device requires a password', async (t) => {
  const device = await announced(t, {}, { password: 'secret' });
  const folder = await testFolder(t);
  const { exitCode, stderr } = await adding(folder, device.hostname);
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /requires a password/);
  t.true(
    (await folder.text('ota.config.json')).includes(`"${device.hostname}.local"`),
    'creates a configuration if none exists',
  );
});

test('discover stores device addresses in .ota/discovered.json in a folder with a configuration', async (t) => {
  const device = await announced(t);
  const folder = await testFolder(t, { 'ota.config.json': '{}' });
  t.is((await adding(folder, device.hostname)).exitCode, 0);
  const { devices } = JSON.parse(await folder.text('.ota/discovered.json')) as { devices: Found[] };
  t.like(
    devices.find(({ host }) => host === `${device.hostname}.local`),
    { address: '127.0.0.1', port: device.otaPort },
  );
});

test('discover --watch --json prints a JSON line for each device until Ctrl-C', async (t) => {
  const folder = await testFolder(t);
  const running = startCli(['discover', '--watch', '--json', '--interface', '127.0.0.1'], folder.path);
  const device = await announced(t);
  const line = await new Promise<string>((resolve) => {
    let text = '';
    running.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const mine = text.split('\n').find((one) => one.includes(device.hostname) && one.endsWith('}'));
      if (mine !== undefined) resolve(mine);
    });
  });
  t.like(JSON.parse(line), { host: `${device.hostname}.local`, method: 'espota', port: device.otaPort });
  running.kill('SIGINT');
  t.is((await running).exitCode, 130);
});
