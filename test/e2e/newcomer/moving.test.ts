/** Follows docs/moving.md: replaces only the two tools of the core. */
import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { quickTimings, startVirtualDevice, type VirtualDevice } from '../../../src/simulator/index.ts';
import { type Act, actsOf } from '../../docs/acts.ts';
import { makePlace, type Place, type Run } from './place.ts';

/** mdns-discovery, which reports network ports to arduino-cli, searches only real networks. */
const ownAddress = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

async function run(t: ExecutionContext, place: Place, command: string): Promise<Run> {
  const done = await place.follow({ act: 'run', command });
  t.is(done?.exitCode, 0, `${command}\n${done?.output}`);
  return done ?? t.fail();
}

/** Starts a device that verifies updates with the sketch's public key. */
async function startDevice(t: ExecutionContext, place: Place, host: string, password?: string): Promise<VirtualDevice> {
  const publicKey = readPublicKey(await place.read('door/public.key'), 'public.key');
  const image = { sizeBytes: 64 * 1024, publicKey };
  const announced = host === ownAddress && {
    hostname: `moving-${process.pid}`,
    mdns: { board: 'ESP8266_WEMOS_D1MINI' },
  };
  const device = await startVirtualDevice({ host, image, publicKey, password, timings: quickTimings, ...announced });
  t.teardown(() => device.close());
  return device;
}

function updatesOf(device: VirtualDevice): readonly string[] {
  return device.events.past.flatMap((event) => (event.event === 'update' ? [event.verdict] : []));
}

test.serial('the core builds and uploads with only its two tools replaced, as docs/moving.md shows', async (t) => {
  const place = await makePlace(t);
  const [sketch] = actsOf('start.md', 'arduino-cli');
  await place.follow(sketch ?? t.fail());

  let installed = '';
  let device: VirtualDevice | undefined;
  const follow = async (act: Act): Promise<void> => {
    if (act.act === 'save') {
      const lines = act.text
        .replaceAll('/usr/lib/node_modules/ota-hooks', installed)
        .replaceAll('/usr/bin/node', process.execPath);
      return writeFile(join(place.core, act.path), lines);
    }
    if (act.command.startsWith('arduino-cli compile')) {
      await run(t, place, 'ota-hooks keygen --private-key door/private.key --public-key door/public.key');
    }
    if (act.command.includes('192.168.1.20')) device = await startDevice(t, place, '127.0.0.1');
    const port = `-i 127.0.0.1 -p ${device?.otaPort}`;
    const { output } = await run(t, place, act.command.replace('-i 192.168.1.20', port));
    if (act.command === 'npm root --global') installed = join(output.trim(), 'ota-hooks');
    if (act.command.startsWith('arduino-cli compile')) t.regex(output, /Enabling binary signing/);
  };
  for (const act of actsOf('moving.md', 'Use the drop-in commands')) await follow(act);
  t.deepEqual(device && updatesOf(device), ['accepted']);
  await run(t, place, 'ota-hooks verify build/door.ino.bin.signed --public-key door/public.key');

  if (ownAddress === undefined)
    return t.log('skipped, because this machine has no network and arduino-cli would find no device');
  const inNetwork = await startDevice(t, place, ownAddress, 'of the door');
  const upload = `arduino-cli upload --fqbn esp8266:esp8266:d1_mini --port ${ownAddress} --protocol network`;
  const options = '--discovery-timeout 20s --upload-field password=of\\ the\\ door --input-dir build door';
  t.regex((await run(t, place, `${upload} ${options}`)).output, /warning: the password in --auth/);
  t.deepEqual(updatesOf(inNetwork), ['accepted']);
});
