import test, { type ExecutionContext } from 'ava';
import type { VirtualEsp } from '../../../src/simulator/index.ts';
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

/** All tests of this machine share one loopback interface: names are of one test only. */
function announced(t: ExecutionContext, mdns: MdnsOptions = {}, more = {}): Promise<VirtualEsp> {
  return virtualDoor(t, { hostname: `found-${process.pid}-${++count}`, mdns, ...more });
}

async function discover(folder: TestFolder, ...argv: string[]) {
  return runCommand(['discover', '--interface', '127.0.0.1', ...argv], { cwd: folder.path });
}

async function discoverJson(folder: TestFolder, ...argv: string[]) {
  const run = await discover(folder, '--json', ...argv);
  return { ...run, ...(JSON.parse(run.stdout) as { devices: Found[]; remembered: Found[] }) };
}

/** Adds a device as soon as it is heard: it listens no longer than it must. */
function adding(folder: TestFolder, name: string, ...argv: string[]) {
  return discover(folder, '--add', name, '--timeout', '600', ...argv);
}

/** Listens for longer and longer until the device was heard: a second, where the machine is not slow. */
async function untilHeard<Run>(listen: (...argv: string[]) => Promise<Run>, hasHeard: (run: Run) => boolean) {
  let seconds = 1;
  for (;;) {
    const run = await listen('--timeout', String(seconds));
    if (hasHeard(run) || seconds > 60) return run;
    seconds *= 2;
  }
}

test('a device is found with what it says of itself, and is remembered when it has gone', async (t) => {
  const esp = await announced(
    t,
    { board: 'ESP8266_WEMOS_D1MINI', tellsSketchMd5: true },
    { password: 'secret', webPort: 0 },
  );
  const folder = await testFolder(t, {
    'ota.config.json': JSON.stringify({ devices: { kitchen: { address: `${esp.hostname}.local` } } }),
  });
  const isMine = ({ host }: Found) => host === `${esp.hostname}.local`;
  const { devices } = await untilHeard(
    (...argv) => discoverJson(folder, ...argv),
    (run) => run.devices.filter(isMine).length === 2,
  );
  const mine = devices.filter(isMine);
  const common = { host: `${esp.hostname}.local`, address: '127.0.0.1', inventory: 'kitchen', name: esp.hostname };
  t.deepEqual(
    mine.sort((a, b) => (a.method < b.method ? -1 : 1)),
    [
      {
        ...common,
        method: 'espota',
        port: esp.otaPort,
        board: 'ESP8266_WEMOS_D1MINI',
        auth: true,
        sketchMd5: esp.state.sketchMd5,
      },
      { ...common, method: 'web', port: esp.webPort, board: null, auth: null, sketchMd5: esp.state.sketchMd5 },
    ],
  );

  const row = new RegExp(
    `^${esp.hostname}\\.local +127\\.0\\.0\\.1:${esp.otaPort} +espota +ESP8266_WEMOS_D1MINI +yes +now +kitchen$`,
    'm',
  );
  const shown = await untilHeard(
    (...argv) => discover(folder, ...argv),
    ({ stdout }) => row.test(stdout),
  );
  t.regex(shown.stdout, row);

  await esp.close();
  const later = await discoverJson(folder, '--timeout', '0.5');
  t.false(later.devices.some(({ host }) => host === common.host));
  t.true(later.remembered.some(({ host, port }) => host === common.host && port === esp.otaPort));
});

test('a device is added by the name of its host when its board is that of the project; nothing else in the file changes', async (t) => {
  const esp = await announced(t, { board: 'PLATFORMIO_D1_MINI' });
  const folder = await testFolder(t, { 'ota.config.json': '{\n    "project": "door",\n    "board": "d1_mini"\n}\n' });
  const run = await adding(folder, esp.hostname, '--group', 'inside', '--password-env', 'DOOR');
  t.is(run.exitCode, 0, run.stderr);
  const entry = {
    address: `${esp.hostname}.local`,
    port: esp.otaPort,
    board: 'd1_mini',
    group: 'inside',
    password: { env: 'DOOR' },
  };
  const text = await folder.text('ota.config.json');
  t.true(text.startsWith('{\n    "project": "door",\n    "board": "d1_mini",\n    "devices": {\n'));
  t.deepEqual(JSON.parse(text), { project: 'door', board: 'd1_mini', devices: { [esp.hostname]: entry } });
  t.is((await adding(folder, esp.hostname)).error?.code, 'DEVICE_NOT_ADDED', 'not twice');
});

test('a device of another board is not added, unless its board is named as it announces it', async (t) => {
  const esp = await announced(t, { board: 'ESP8266_NODEMCU_ESP12E' });
  const folder = await testFolder(t, { 'ota.config.json': '{"board": "nodemcuv2"}' });
  const argv = ['--add', 'kitchen', '--host', `${esp.hostname}.local`];
  const why = /says that it is a ESP8266_NODEMCU_ESP12E, and this project is for nodemcuv2/;
  const refused = await untilHeard(
    (...limit) => discover(folder, ...argv, ...limit),
    ({ error }) => why.test(error?.message ?? ''),
  );
  t.is(refused.exitCode, 1);
  t.regex(refused.error?.message ?? '', why);
  t.is(await folder.text('ota.config.json'), '{"board": "nodemcuv2"}');
  t.is((await discover(folder, ...argv, '--timeout', '600', '--board', 'ESP8266_NODEMCU_ESP12E')).exitCode, 0);
  t.true((await folder.text('ota.config.json')).includes('"kitchen"'));
});

test('a configuration in YAML is left alone, and what to add is said', async (t) => {
  const esp = await announced(t);
  const folder = await testFolder(t, { 'ota.config.yaml': '# ours\nproject: door\n' });
  const { exitCode, error } = await adding(folder, esp.hostname);
  t.is(exitCode, 1);
  t.regex(error?.hint ?? '', new RegExp(`"${esp.hostname}": \\{"address":"${esp.hostname}\\.local"`));
  t.is(await folder.text('ota.config.yaml'), '# ours\nproject: door\n');
});

test('a device that does not answer is not added, and a folder without a project gets no files', async (t) => {
  const folder = await testFolder(t);
  t.is((await discover(folder, '--add', 'nobody-at-all', '--timeout', '0.5')).error?.code, 'DEVICE_NOT_ADDED');
  await discover(folder, '--timeout', '0.5');
  t.deepEqual(await folder.list(), []);
});

test('a password that it will want is asked for when it is added', async (t) => {
  const esp = await announced(t, {}, { password: 'secret' });
  const folder = await testFolder(t);
  const { exitCode, stderr } = await adding(folder, esp.hostname);
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /wants a password/);
  t.true(
    (await folder.text('ota.config.json')).includes(`"${esp.hostname}.local"`),
    'a configuration is begun where there is none',
  );
});

test('where a device was seen is remembered, in a folder with a configuration', async (t) => {
  const esp = await announced(t);
  const folder = await testFolder(t, { 'ota.config.json': '{}' });
  t.is((await adding(folder, esp.hostname)).exitCode, 0);
  const { devices } = JSON.parse(await folder.text('.ota/discovered.json')) as { devices: Found[] };
  t.like(
    devices.find(({ host }) => host === `${esp.hostname}.local`),
    { address: '127.0.0.1', port: esp.otaPort },
  );
});

test('--watch tells each device as it appears, one JSON object a line, until Ctrl-C', async (t) => {
  const folder = await testFolder(t);
  const running = startCli(['discover', '--watch', '--json', '--interface', '127.0.0.1'], folder.path);
  const esp = await announced(t);
  const line = await new Promise<string>((resolve) => {
    let text = '';
    running.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const mine = text.split('\n').find((one) => one.includes(esp.hostname) && one.endsWith('}'));
      if (mine !== undefined) resolve(mine);
    });
  });
  t.like(JSON.parse(line), { host: `${esp.hostname}.local`, method: 'espota', port: esp.otaPort });
  running.kill('SIGINT');
  t.is((await running).exitCode, 130);
});
