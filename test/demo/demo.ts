/**
 * `npm run demo`: runs every step for one build in a temporary folder and requires only Node.js. Prints each step as a user would type it,
 * then runs it. No compiler is needed: the demo uses the fixture image, which is real Xtensa code, and writes the new public key where
 * the compiler would have put it.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rekeyImage } from '../fixtures/rekey.ts';
import { demoServer, requireSketchOf } from './server.ts';
import { begin, type Place, run, say } from './terminal.ts';

const fixture = (name: string) => new URL(`../fixtures/firmware/${name}`, import.meta.url);
const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-demo-'));
const image = 'build/door.ino.bin';
const place: Place = { folder, env: {} };
const type = (argv: readonly string[], expectedExitCode?: number) => run(place, argv, expectedExitCode);

try {
  say('Create a key pair. The private key signs; the public key is compiled into every firmware.');
  await type(['keygen']);

  say('Before the build: write the header that makes the Updater on the device verify signatures.');
  await type(['header', '--public-key', 'public.key', '--out', 'build/core/Updater_Signing.h']);

  say('(The compiler runs here. This demo needs none: it puts the new key into a prebuilt image.)');
  await buildFirmware();

  say('After the build: prove that the device will verify signatures, compress, sign, and write the manifest.');
  await type(['pack', image, '--verbose']);

  say('Verify the file as a device with this key does.');
  await type(['verify', `${image}.gz.signed`, '--public-key', 'public.key']);

  say('Change one byte and verify again.');
  await tamper(join(folder, `${image}.gz.signed`));
  await type(['verify', `${image}.gz.signed`, '--public-key', 'public.key'], 1);

  say('The changed file is rejected. Pack again, and upload to a virtual ESP8266 that was built with the public key.');
  await type(['pack', image, '--quiet']);
  await using device = begin(place, ['simulate', '--json', '--public-key', 'public.key']);
  const { otaPort } = await device.event('ready');
  await type(['upload', image, '--host', '127.0.0.1', '--port', String(otaPort), '--flash-mode', 'dio']);

  say('The device verifies the signature and restarts; its bootloader copies the new sketch over the old one.');
  const { sketchMd5 } = await device.event('boot');
  process.stdout.write(`(the device now runs the sketch with MD5 ${sketchMd5})\n`);
  const manifest = JSON.parse(await readFile(join(folder, `${image}.ota.json`), 'utf8'));
  requireSketchOf(manifest, sketchMd5);
  say('The MD5 matches the manifest.');
  await demoServer(image, place);
  say('Demo complete.');
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function buildFirmware(): Promise<void> {
  const [bin, elf, publicKey] = await Promise.all([
    readFile(fixture('door.bin')),
    readFile(fixture('door.elf')),
    readFile(join(folder, 'public.key'), 'utf8'),
  ]);
  const built = rekeyImage(bin, elf, publicKey);
  await mkdir(join(folder, 'build'), { recursive: true });
  await writeFile(join(folder, image), built.bin);
  await writeFile(join(folder, 'build/door.ino.elf'), built.elf);
}

async function tamper(path: string): Promise<void> {
  const bytes = await readFile(path);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(path, bytes);
}
