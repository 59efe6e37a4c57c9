import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { begin, type Place, run, say } from './terminal.ts';

/** The second half of the demo: publishes the build, which a device then downloads itself. */
export async function demoServer(image: string, place: Place): Promise<void> {
  say(
    'One device after the other is one way. A fleet asks a server instead; this one is empty, and makes its first token:',
  );
  await using server = begin(place, ['serve', '--data', 'ota-data', '--listen', '127.0.0.1:0', '--json', '--quiet']);
  const { url = '', token = '' } = await server.event('ready');

  say('The build is published with that token. The server verifies all of it again before anybody can see it.');
  process.stdout.write('$ export OTA_SERVER=URL OTA_TOKEN=TOKEN      (those of the line above)\n');
  const owner: Place = { ...place, env: { OTA_SERVER: url, OTA_TOKEN: token } };
  await run(owner, ['publish', image, '--project', 'door', '--firmware-version', '1.0.0']);

  say('Here is a device of that key, which asks the server every second, and restarts into what it is sent:');
  const ask = ['--update-url', `${url}/update/door`, '--interval', '1'];
  await using device = begin(place, ['simulate', '--json', '--public-key', 'public.key', ...ask, '--verbose']);
  await device.event('update');
  const { sketchMd5 } = await device.event('boot');
  requireSketchOf(JSON.parse(await readFile(join(place.folder, `${image}.ota.json`), 'utf8')), sketchMd5);

  say('The server recognizes the build by the MD5 that the device reports, and has nothing more for it:');
  await device.event('checked');
  await run(owner, ['server', 'devices', 'list', 'door']);
}

/** Checks that the MD5 that the device reports is in the manifest. */
export function requireSketchOf(
  { image }: { image: { sketchMd5s: readonly { md5: string }[] } },
  sketchMd5: string | undefined,
): void {
  if (image.sketchMd5s.some(({ md5 }) => md5 === sketchMd5)) return;
  throw new Error('the device runs something else than what was sent');
}
