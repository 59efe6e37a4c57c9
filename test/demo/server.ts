import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { begin, type Place, run, say } from './terminal.ts';

/** Second half of the demo: publishes the build, and a device then downloads it on its own. */
export async function demoServer(image: string, place: Place): Promise<void> {
  say('Devices of a fleet check a server for updates. Start one; a new server writes its first token to a file.');
  await using server = begin(place, ['serve', '--data', 'ota-data', '--listen', '127.0.0.1:0', '--json', '--quiet']);
  const { url = '', tokenFile = '' } = await server.event('ready');
  const token = (await readFile(tokenFile, 'utf8')).trim();

  say('Publish the build with this token. The server verifies every artifact before it serves the release.');
  process.stdout.write('$ export OTA_SERVER=URL OTA_TOKEN=TOKEN      (from the file above)\n');
  const owner: Place = { ...place, env: { OTA_SERVER: url, OTA_TOKEN: token } };
  await run(owner, ['publish', image, '--project', 'door', '--firmware-version', '1.0.0']);

  say('Simulate a device with this key. It checks for updates every second and installs what the server sends.');
  const request = ['--update-url', `${url}/update/door`, '--interval', '1'];
  await using device = begin(place, ['simulate', '--json', '--public-key', 'public.key', ...request, '--verbose']);
  await device.event('update');
  const { sketchMd5 } = await device.event('boot');
  requireSketchOf(JSON.parse(await readFile(join(place.folder, `${image}.ota.json`), 'utf8')), sketchMd5);

  say('The server recognizes the release by the MD5 that the device reports: the device is up to date.');
  await device.event('checked');
  await run(owner, ['server', 'devices', 'list', 'door']);
}

/** Checks that the manifest contains the MD5 that the device reports. */
export function requireSketchOf(
  { image }: { image: { sketchMd5s: readonly { md5: string }[] } },
  sketchMd5: string | undefined,
): void {
  if (image.sketchMd5s.some(({ md5 }) => md5 === sketchMd5)) return;
  throw new Error('the device does not run the published sketch');
}
