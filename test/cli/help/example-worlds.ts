import { chmod } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { type BuildFiles, folderWith, packDoor, packFile } from '../../publishing/packed-door.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { door } from '../../support/built-sketch.ts';
import { doorFacts, packedDoor, virtualDoor } from '../../support/fleet.ts';
import { freePort } from '../../support/free-port.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { platformText } from '../../support/platform-text.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

/** The environment that an example runs in. */
interface ExampleWorld {
  readonly folder: TestFolder;
  /** Working directory, relative to the folder. */
  readonly stands?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Replacements for addresses and folders that do not exist on the test machine. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Additional options that the environment requires. */
  readonly more?: readonly string[];
  /** Input of the command. */
  readonly stdin?: string;
  /** The command runs until Ctrl-C, sent after its first output. */
  readonly goesOn?: boolean;
}

type MakeWorld = (t: ExecutionContext, example: string) => Promise<ExampleWorld>;

const keys = { 'private.key': door.privatePem, 'public.key': door.publicPem };
const sketch = '#include <ESP8266WiFi.h>\nvoid setup() {}\nvoid loop() {}\n';
const core = '.arduino15/packages/esp8266/hardware/esp8266/3.1.2/platform.txt';

/** The packed fixture sketch, with the file names used in the examples. */
async function packedSketch(t: ExecutionContext): Promise<ExampleWorld> {
  packedFiles ??= packSketch(t);
  return { folder: await testFolder(t, await packedFiles) };
}

/** Files of the packed sketch, created on first use and copied for each example. */
let packedFiles: Promise<BuildFiles> | undefined;

async function packSketch(t: ExecutionContext): Promise<BuildFiles> {
  const folder = await testFolder(t, {
    ...keys,
    'sketch.bin': door.bin,
    'unknown.bin': door.bin,
    'build/sketch.bin': door.bin,
    'build/sketch.elf': door.elf,
    'build/sketch.ino.bin': door.bin,
    'build/sketch.ino.elf': door.elf,
    'build/door.ino.bin': door.bin,
    'door.json': JSON.stringify(doorFacts),
    'firmware/door/door.ino': sketch,
    'firmware/door/public.key': door.publicPem,
    'firmware/door/ota.config.json': '{"upload": {"hostIp": "127.0.0.1"}}',
  });
  await runCommand(['pack', 'build/sketch.ino.bin', '--legacy'], { cwd: folder.path });
  await runCommand(['pack', 'build/sketch.bin', '--unsigned'], { cwd: folder.path });
  await folder.write('old.bin.legacy_sig', await folder.read('build/sketch.ino.bin.legacy_sig'));
  return contents(folder);
}

async function contents(folder: TestFolder): Promise<BuildFiles> {
  const names = await folder.list();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await folder.read(name)])));
}

/** A project for each build system, with `true` in place of the build tools. */
async function unbuilt(t: ExecutionContext, example: string): Promise<ExampleWorld> {
  const folder = await testFolder(t, {
    'door/door.ino': sketch,
    'firmware/door/platformio.ini': '[env:d1_mini]\nplatform = espressif8266\nboard = d1_mini\n',
  });
  const stands = example.includes('--source') ? '.' : 'door';
  return { folder, stands, env: { ARDUINO_CLI: 'true', PLATFORMIO_CLI: 'true' } };
}

async function setUp(t: ExecutionContext, example: string): Promise<ExampleWorld> {
  const folder = await testFolder(t, { 'door/door.ino': sketch });
  if (example.includes('--undo')) await runCommand(['init', '--yes'], { cwd: folder.at('door') });
  return { folder, stands: 'door', more: ['--yes'] };
}

async function installedCore(t: ExecutionContext, example: string): Promise<ExampleWorld> {
  const folder = await testFolder(t, { [core]: platformText('3.1.2') });
  if (example.includes('uninstall')) await runCommand(['install', 'arduino'], { cwd: folder.path });
  return { folder, instead: { '~': folder.path } };
}

/** A virtual device that replaces the device address in the examples. */
async function someDoor(t: ExecutionContext): Promise<ExampleWorld> {
  const device = await virtualDoor(t, { password: 'secret', mdns: { announcesSketchMd5: true } });
  const entry = { address: device.host, port: device.otaPort, password: { env: 'OTA_DEVICE_DOOR' } };
  const folder = await packedDoor(t, { door: entry }, { upload: { hostIp: '127.0.0.1' } });
  const env = { DOOR_PASSWORD: 'secret', OTA_DEVICE_DOOR: 'secret' };
  return { folder, env, instead: { '192.168.1.20': 'door', '8300': String(await freePort()) } };
}

async function unsignedDoor(t: ExecutionContext, example: string): Promise<ExampleWorld> {
  const needsPassword = example.includes('--password-env');
  const device = await virtualDoor(t, {
    image: { sizeBytes: 100 * 1024 },
    publicKey: undefined,
    ...(needsPassword && { password: 'secret' }),
  });
  const folder = await testFolder(t, {
    '.pio/build/d1_mini/firmware.bin': door.bin,
    'build/littlefs.bin': buildLittleFs({ blockCount: 16 }),
  });
  const instead = { '192.168.1.23': device.host, 'door.local': device.host };
  return { folder, instead, env: { DOOR_PASSWORD: 'secret' }, more: ['-p', String(device.otaPort)] };
}

let announced = 0;

async function announcedDoor(t: ExecutionContext, example: string): Promise<ExampleWorld> {
  // A unique name, because all tests on this machine share one loopback interface.
  const hostname = `kitchen-${process.pid}-${++announced}`;
  await virtualDoor(t, { hostname, mdns: {} });
  return {
    folder: await testFolder(t, { 'ota.config.json': '{"project": "door"}' }),
    env: { OTA_DEVICE_KITCHEN: 'secret' },
    instead: { kitchen: hostname },
    // With --watch, the command waits until the device has announced itself.
    more: ['--interface', '127.0.0.1', '--timeout', '0.1', ...(example.includes('--add') ? ['--watch'] : [])],
    goesOn: !example.includes('--add'),
  };
}

const releases = [
  await packDoor({ version: '1.4.2', board: 'd1_mini' }),
  await packDoor({ version: '1.4.3', board: 'd1_mini', network: 'hotel' }),
  await packFile({ 'littlefs.bin': buildLittleFs({ blockCount: 16 }) }, [
    ...['littlefs.bin', '--kind', 'filesystem', '--firmware-version', '1.4.3'],
  ]),
];

const unpublished = await packDoor({ version: '1.5' });

/** A server's data folder with releases, and its admin token; created once and copied for each test. */
let published: Promise<{ readonly data: BuildFiles; readonly token: string }> | undefined;

async function publishedServer(t: ExecutionContext) {
  const server = await startTestServer(t);
  const [first = {}, second = {}, files = {}] = releases;
  const folder = await folderWith(t, { first, second, files });
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token };
  for (const name of ['first', 'second', 'files']) {
    await runCommand(['publish', name, '--to', server.url, '--project', 'door'], { cwd: folder.path, env });
  }
  await requestAsDevice(server.port, '/update/door');
  await runCommand(['server', 'backup', '--out', 'backup.ndjson'], { cwd: folder.path, env });
  const restored = await testFolder(t);
  await runCommand(['server', 'restore', folder.at('backup.ndjson'), '--data', '.'], { cwd: restored.path });
  return { data: await contents(restored), token: server.token };
}

/** A running server with the example data, and the data folder of a stopped server. */
async function updateServer(t: ExecutionContext): Promise<ExampleWorld> {
  published ??= publishedServer(t);
  const { data, token } = await published;
  const folder = await folderWith(
    t,
    { build: unpublished, running: data, stopped: data },
    {
      'door-1.0.bin': door.bin,
      'arduino-db.json': '{"18:FE:AA:AA:AA:AA": {"file": "DOOR-7-g14f53a19.bin", "version": 1}}',
    },
  );
  const server = await startTestServer(t, { data: folder.at('running') });
  const { id } = (await server.api('POST', '/tokens', { roles: ['read'] }, token)).body;
  const instead = {
    'https://ota.example.com': server.url,
    '/var/lib/ota-hooks': 'stopped',
    '4f6a0c12b7de': String(id),
  };
  return { folder, env: { OTA_SERVER: server.url, OTA_TOKEN: token, OTA_PASSWORD: 'open sesame' }, instead };
}

/** Enrolls devices and starts a rollout. Examples of `start` have no rollout yet, and examples of `resume` have a paused rollout. */
async function rollout(t: ExecutionContext, example: string): Promise<ExampleWorld> {
  const world = await updateServer(t);
  const { folder, env = {}, instead = {} } = world;
  const run = async (...argv: string[]) => {
    const { error, stdout } = await runCommand(['server', ...argv], { cwd: folder.path, env });
    if (error !== undefined) throw error;
    return stdout;
  };
  const name = example.includes('beta') ? 'beta' : 'stable';
  const channel = ['--channel', name];
  const macs = Array.from({ length: 99 }, (_, index) => `18:FE:34:00:00:${String(index).padStart(2, '0')}`);
  const first = macs[0] ?? '';
  await run('releases', 'promote', 'door', '1.4.2', ...channel);
  await run('devices', 'set', 'door', first, '--name', 'front-door', ...channel);
  await run('devices', 'enroll', 'door', ...(example.includes(' start ') ? macs : [first]));
  if (example.includes(' start ')) return world;
  const stages = ['--stage', 'canary=front-door', '--stage', '100'];
  const started = await run('rollouts', 'start', 'door', '1.4.3', ...channel, ...stages, '--json');
  if (example.includes(' resume ')) await run('rollouts', 'pause', 'door', ...channel);
  return { ...world, instead: { ...instead, '7': String(JSON.parse(started).id) } };
}

/** A promotion that another token has requested waits for approval. */
async function approval(t: ExecutionContext): Promise<ExampleWorld> {
  const world = await updateServer(t);
  const { folder, env = {}, instead = {} } = world;
  const run = async (argv: readonly string[], token = '') => {
    const { error, stdout } = await runCommand(['server', ...argv], {
      ...{ cwd: folder.path, env: { ...env, OTA_TOKEN: token } },
    });
    if (error !== undefined) throw error;
    return JSON.parse(stdout);
  };
  const { token } = await run(['tokens', 'create', '--role', 'operate', '--json'], env['OTA_TOKEN']);
  const request = ['releases', 'promote', 'door', '1.4.2', '--channel', 'beta', '--request-approval', '--json'];
  const { id } = await run(request, token);
  return { ...world, instead: { ...instead, '4f6a0c12b7de': String(id) } };
}

/** Adds a webhook with one delivery, and a file with its URL. */
async function webhook(t: ExecutionContext, example: string): Promise<ExampleWorld> {
  const world = await updateServer(t);
  const { folder, env = {} } = world;
  await folder.write('webhook-url.txt', 'http://127.0.0.1:9/secret\n');
  const run = async (...argv: string[]) => {
    const { error } = await runCommand(['server', ...argv], { cwd: folder.path, env });
    if (error !== undefined) throw error;
  };
  const url = ['--url-file', 'webhook-url.txt', '--allow-private'];
  await run('webhooks', 'add', '--events', 'release.promoted', ...url);
  await run('releases', 'promote', 'door', '1.4.2', '--channel', 'beta');
  return { ...world, more: example.includes(' add ') ? ['--allow-private'] : [] };
}

async function backup(t: ExecutionContext): Promise<ExampleWorld> {
  const server = await startTestServer(t);
  const folder = await testFolder(t);
  const env = { OTA_SERVER: server.url, OTA_TOKEN: server.token };
  await runCommand(['server', 'backup', '--out', 'backup.ndjson'], { cwd: folder.path, env });
  return { folder, instead: { '/var/lib/ota-hooks': 'restored' } };
}

/** The data folder of a stopped server, and stores into which it can be copied without other programs. */
async function copyable(t: ExecutionContext): Promise<ExampleWorld> {
  const { folder, instead } = await updateServer(t);
  const url = `sqlite:${folder.at('copy/ota.db')}`;
  await folder.write('database.url', `${url}\n`);
  await chmod(folder.at('database.url'), 0o600);
  const targets = { 'postgres://ota@db.example.com/ota': url, 's3://firmware': `file:${folder.at('copy')}` };
  return { folder, instead: { ...instead, ...targets } };
}

async function nothingYet(t: ExecutionContext): Promise<ExampleWorld> {
  const instead = { '/var/lib/ota-hooks': 'data', '0.0.0.0:8266': '127.0.0.1:0' };
  return { folder: await testFolder(t, { 'secrets/.keep': '', 'keys/.keep': '' }), instead };
}

async function emptyLog(t: ExecutionContext): Promise<ExampleWorld> {
  return { folder: await testFolder(t), env: { OTA_SIGNING_LOG: 'log.jsonl' } };
}

/** A project with a signing key, and with a backup key for the examples that change its role. */
async function keyList(t: ExecutionContext, example: string): Promise<ExampleWorld> {
  const entry = (name: string, role: string, pem: string) => ({
    name,
    publicKey: `${name}-public.key`,
    fingerprint: readPublicKey(pem, name).fingerprint,
    role,
  });
  const vault = rsaPems().publicPem;
  const isListed = /activate|retire|status/.test(example);
  const list = [entry('main', 'signing', door.publicPem), ...(isListed ? [entry('vault', 'backup', vault)] : [])];
  const folder = await testFolder(t, {
    'project/main-public.key': door.publicPem,
    ...(example.includes('keys new') ? {} : { 'project/vault-public.key': vault }),
    'project/ota.config.json': JSON.stringify({ project: 'door', keys: list }),
  });
  if (!example.includes('--server')) return { folder, stands: 'project' };
  const server = await startTestServer(t);
  await server.api('PUT', '/projects/door', {});
  return {
    folder,
    stands: 'project',
    env: { OTA_TOKEN: server.token },
    instead: { 'https://ota.example.com': server.url },
  };
}

const untilStopped =
  (make: MakeWorld): MakeWorld =>
  async (t, example) => ({ ...(await make(t, example)), goesOn: true });

/** Environments for the examples, by command name. An entry for a group applies to all commands in the group. */
export const exampleWorlds: Readonly<Record<string, MakeWorld>> = {
  keygen: nothingYet,
  keys: emptyLog,
  'keys new': keyList,
  'keys add': keyList,
  'keys activate': keyList,
  'keys retire': keyList,
  'keys status': keyList,
  header: packedSketch,
  sign: packedSketch,
  pack: packedSketch,
  verify: packedSketch,
  inspect: packedSketch,
  preflight: packedSketch,
  init: setUp,
  doctor: packedSketch,
  build: unbuilt,
  install: installedCore,
  uninstall: installedCore,
  completion: nothingYet,
  upload: someDoor,
  ui: untilStopped(someDoor),
  publish: updateServer,
  discover: announcedDoor,
  signing: packedSketch,
  espota: unsignedDoor,
  simulate: untilStopped(packedSketch),
  serve: untilStopped(nothingYet),
  server: updateServer,
  login: async (t) => {
    const world = await updateServer(t);
    const { OTA_TOKEN: stdin = '', ...env } = world.env ?? {};
    return { ...world, env, stdin };
  },
  logout: updateServer,
  whoami: updateServer,
  'server restore': backup,
  'server copy': copyable,
  'server approvals': approval,
  'server rollouts': rollout,
  'server rollouts watch': untilStopped(rollout),
  'server webhooks': webhook,
};
