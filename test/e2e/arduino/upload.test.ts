import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
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
const password = 'a-password-of-this-test';

/** A device on this machine's network, discoverable by arduino-cli and the IDE. */
async function startDevice(t: ExecutionContext, { publicKey }: KeyPair): Promise<VirtualDevice> {
  const key = readPublicKey(publicKey, 'the key of the test');
  const device = await startVirtualDevice({
    host: address,
    hostname: `arduino-${process.pid}`,
    mdns: { board: 'ESP8266_WEMOS_D1MINI' },
    image: { sizeBytes: 64 * 1024, publicKey: key },
    publicKey: key,
    password,
    timings: quickTimings,
  });
  t.teardown(() => device.close());
  return device;
}

/** A built sketch in a workplace with installed hooks. Its configuration names the variable that contains the device's password. */
async function builtSketch(t: ExecutionContext): Promise<{ workplace: Workplace; sketch: string }> {
  const workplace = await makeWorkplace(t, 'Jürgen Müller');
  const sketch = await workplace.sketch('Haustür');
  await placeKeys(sketch, keys);
  const config = { project: 'Haustür', upload: { password: { env: 'OTA_DEVICE_DOOR' } } };
  await writeFile(join(sketch, 'ota.config.json'), JSON.stringify(config));
  t.is((await workplace.run('install', 'arduino')).exitCode, 0);
  const built = await workplace.compile(sketch);
  t.is(built.exitCode, 0, built.output);
  return { workplace, sketch };
}

function upload({ arduinoWith }: Workplace, sketch: string) {
  const port = ['--port', address, '--protocol', 'network', '--discovery-timeout', '20s'];
  return arduinoWith({ OTA_DEVICE_DOOR: password }, 'upload', '--fqbn', 'esp8266:esp8266:d1_mini', ...port, sketch);
}

testInNetwork(
  'an Arduino IDE upload runs ota-hooks, with update planning and the password from the sketch configuration',
  async (t) => {
    const device = await startDevice(t, keys);
    const { workplace, sketch } = await builtSketch(t);
    const run = await upload(workplace, sketch);
    t.is(run.exitCode, 0, run.output);
    t.regex(run.output, /sending Haustür\.ino\.bin\.signed/);
    t.false(run.output.includes(password));
    if (device.state.restarts === 0 || device.state.phase !== 'running')
      await device.nextEvent(({ event }) => event === 'boot', 5000);
    const { image } = JSON.parse(await workplace.manifest(sketch));
    t.true(image.sketchMd5s.some(({ md5 }: { md5: string }) => md5 === device.state.sketchMd5));
  },
);

testInNetwork('an IDE upload fails when the device rejects it, and shows the error text from the device', async (t) => {
  const device = await startDevice(t, makeKeys());
  const { workplace, sketch } = await builtSketch(t);
  const run = await upload(workplace, sketch);
  t.not(run.exitCode, 0);
  t.regex(run.output, /rejected: ERROR\[12\]: Signature verification failed/);
  t.is(device.state.restarts, 0);
});

testInNetwork("`uninstall arduino` restores the core's own uploads", async (t) => {
  await startDevice(t, keys);
  const { workplace, sketch } = await builtSketch(t);
  await workplace.run('uninstall', 'arduino');
  t.regex((await upload(workplace, sketch)).output, /would upload: --port /);
});
