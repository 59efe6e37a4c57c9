import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { quickTimings, startVirtualDevice, type VirtualDevice } from '../../../src/simulator/index.ts';
import { type KeyPair, makeKeys, makeWorkplace, placeKeys, type Workplace } from './workplace.ts';

/** mdns-discovery, which reports network ports to arduino-cli, searches only real networks. */
const ownAddress = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
const testInNetwork = ownAddress === undefined ? test.skip : test.serial;
const address = ownAddress ?? '';

const keys = makeKeys();
const password = 'it\'s a"password$of %this% test';

/** A device on this machine's network, discoverable by arduino-cli and the IDE. */
async function startDevice(t: ExecutionContext, { publicKey }: Partial<KeyPair> = {}): Promise<VirtualDevice> {
  const key = publicKey === undefined ? undefined : readPublicKey(publicKey, 'the key of the test');
  const device = await startVirtualDevice({
    host: address,
    hostname: `arduino-${process.pid}`,
    mdns: { board: 'ESP8266_WEMOS_D1MINI' },
    image: { sizeBytes: 64 * 1024, ...(key === undefined ? {} : { publicKey: key }) },
    ...(key === undefined ? {} : { publicKey: key }),
    password,
    timings: quickTimings,
  });
  t.teardown(() => device.close());
  return device;
}

interface BuiltSketch {
  readonly workplace: Workplace;
  readonly sketch: string;
}

/** A built sketch in a workplace with installed hooks. */
async function builtSketch(t: ExecutionContext, config?: object): Promise<BuiltSketch> {
  const workplace = await makeWorkplace(t, 'Jürgen Müller');
  const sketch = await workplace.sketch('Haustür');
  if (config !== undefined) {
    await placeKeys(sketch, keys);
    await writeFile(join(sketch, 'ota.config.json'), JSON.stringify(config));
  }
  t.is((await workplace.run('install', 'arduino')).exitCode, 0);
  const built = await workplace.compile(sketch);
  t.is(built.exitCode, 0, built.output);
  return { workplace, sketch };
}

/** Configuration that names the variable with the password of the device. */
const named = { project: 'Haustür', upload: { password: { env: 'OTA_DEVICE_DOOR' } } };

/** Uploads with the password that the prompt of the IDE returns. */
function upload({ workplace, sketch }: BuiltSketch, typed: string, env: Readonly<Record<string, string>> = {}) {
  const port = ['--port', address, '--protocol', 'network', '--discovery-timeout', '20s'];
  const field = ['--upload-field', `password=${typed}`];
  return workplace.arduinoWith(env, 'upload', '--fqbn', 'esp8266:esp8266:d1_mini', ...port, ...field, sketch);
}

async function untilRestart(device: VirtualDevice): Promise<void> {
  if (device.state.restarts === 0 || device.state.phase !== 'running')
    await device.nextEvent(({ event }) => event === 'boot', 5000);
}

/** Command lines of all processes, as other users of the machine see them. */
function commandLines(): readonly string[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.map((name) => {
    try {
      return readFileSync(join('/proc', name, 'cmdline'), 'utf8');
    } catch {
      return '';
    }
  });
}

testInNetwork(
  'an Arduino IDE upload runs ota-hooks, with update planning and the password from the sketch configuration',
  async (t) => {
    const device = await startDevice(t, keys);
    const built = await builtSketch(t, named);
    const run = await upload(built, 'anything', { OTA_DEVICE_DOOR: password });
    t.is(run.exitCode, 0, run.output);
    t.regex(run.output, /sending Haustür\.ino\.bin\.signed/);
    t.false(run.output.includes(password));
    await untilRestart(device);
    const { image } = JSON.parse(await built.workplace.manifest(built.sketch));
    t.true(image.sketchMd5s.some(({ md5 }: { md5: string }) => md5 === device.state.sketchMd5));
  },
);

testInNetwork('an IDE upload of a sketch without keys sends the password from the prompt, and hides it', async (t) => {
  const device = await startDevice(t);
  const built = await builtSketch(t);
  const seen = new Set<string>();
  const uploading = upload(built, password);
  let isDone = false;
  const end = () => {
    isDone = true;
  };
  uploading.then(end, end);
  while (!isDone) {
    for (const line of commandLines()) if (line.includes('ota-hooks upload')) seen.add(line);
    await wait(5);
  }
  const run = await uploading;
  t.is(run.exitCode, 0, run.output);
  await untilRestart(device);
  t.is(device.state.restarts, 1);
  t.false(run.output.includes(password), run.output);
  t.true(seen.size > 0, 'the process that uploads');
  t.false([...seen].some((line) => line.includes(password)));
});

testInNetwork('an IDE upload uses the password from the prompt if the configured variable is not set', async (t) => {
  const device = await startDevice(t, keys);
  const run = await upload(await builtSketch(t, named), password);
  t.is(run.exitCode, 0, run.output);
  await untilRestart(device);
  t.false(run.output.includes(password));
});

testInNetwork('an IDE upload uses the password from the IDE for a configured password prompt', async (t) => {
  const device = await startDevice(t, keys);
  const run = await upload(await builtSketch(t, { upload: { password: { prompt: true } } }), password);
  t.is(run.exitCode, 0, run.output);
  await untilRestart(device);
});

testInNetwork('an IDE upload fails when the device rejects it, and shows the error text from the device', async (t) => {
  const device = await startDevice(t, makeKeys());
  const run = await upload(await builtSketch(t, named), password);
  t.not(run.exitCode, 0);
  t.regex(run.output, /rejected: ERROR\[12\]: Signature verification failed/);
  t.is(device.state.restarts, 0);
});

testInNetwork("without the copy, an IDE upload of a sketch without keys runs the core's own uploader", async (t) => {
  await startDevice(t);
  const built = await builtSketch(t);
  const run = await upload(built, password, { OTA_NODE: '/nowhere/node' });
  t.is(run.exitCode, 0, run.output);
  t.true(run.output.includes(`-i ${address} `) && run.output.includes(`--auth=${password} -f /`), run.output);
});

testInNetwork("`uninstall arduino` restores the core's own uploads", async (t) => {
  await startDevice(t, keys);
  const built = await builtSketch(t, named);
  await built.workplace.run('uninstall', 'arduino');
  t.regex((await upload(built, password)).output, /espota\.py would upload: -i /);
});
