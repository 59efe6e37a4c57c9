/**
 * `npm run pictures`: records an upload to twenty virtual devices as a terminal shows it, and writes docs/pictures/fleet.svg. The picture
 * shows the actual output of `ota-hooks upload --all` at the moment when half of the devices are done.
 */
import { setMaxListeners } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../../src/cli/io.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { readPublicKey } from '../../src/core/keys/public-key.ts';
import { startVirtualDevice } from '../../src/simulator/start-virtual-device.ts';
import { drawTerminal } from './draw-terminal.ts';
import { TerminalScreen } from './terminal-screen.ts';

const places = ['kitchen', 'cellar', 'porch', 'garage', 'attic', 'garden', 'hall', 'stairs', 'study', 'workshop'];
const names = places.flatMap((place) => [`${place}-door`, `${place}-light`]);
const fixture = (name: string) => new URL(`../../test/fixtures/${name}`, import.meta.url);
const password = 'of no importance';

const signal = new AbortController().signal;
// Each upload in progress adds a listener.
setMaxListeners(0, signal);
const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-picture-'));
const publicKey = readPublicKey(await readFile(fixture('keys/test-only-public.pem')), 'public.key');
const devices = await Promise.all(names.map((name, index) => startVirtualDevice(optionsOf(name, index))));
try {
  await makeProject();
  const screen = new TerminalScreen();
  let half: readonly string[] | undefined;
  const write = (text: string) => {
    screen.write(text);
    const finished = screen.lines().filter((line) => / (accepted|rejected|unreachable)/.test(line)).length;
    if (half === undefined && finished >= names.length / 2) half = screen.lines();
  };
  await run(['pack', 'door.bin', '--quiet', '--project', 'door'], () => undefined);
  const argv = ['upload', 'door.bin', '--all', '--concurrency', '12'];
  await run(argv, write).catch(() => undefined);
  if (half === undefined) throw new Error(`the upload went wrong:\n${screen.lines().join('\n')}`);
  const prompt = `$ ota-hooks ${argv.join(' ')}`;
  await writeFile(new URL('fleet.svg', import.meta.url), drawTerminal([prompt, ...half]));
} finally {
  await Promise.all(devices.map((device) => device.close()));
  await rm(folder, { recursive: true, force: true });
}

function optionsOf(name: string, index: number) {
  return {
    hostname: name,
    image: { sizeBytes: 260_000, seed: index + 1 },
    publicKey,
    // One device has a different password, as often happens.
    password: name === 'attic-light' ? 'long forgotten' : password,
    link: { rttMs: 8 + 4 * (index % 7) },
    seed: index + 1,
  };
}

async function makeProject(): Promise<void> {
  await copyFile(fixture('firmware/door.bin'), join(folder, 'door.bin'));
  await copyFile(fixture('firmware/door.elf'), join(folder, 'door.elf'));
  await copyFile(fixture('keys/test-only-public.pem'), join(folder, 'public.key'));
  await writeFile(join(folder, 'private.key'), await readFile(fixture('keys/test-only-private.pem')), { mode: 0o600 });
  const facts = {
    core: '3.1.2',
    signing: 'required',
    flashMode: 'dio',
    chipSizeBytes: 4194304,
    fsStart: 2097152,
    fsEnd: 4169728,
  };
  // For half of the devices, an earlier proven update has supplied the facts; for the others, only the flash mode is known, so they are
  // sent the raw signed sketch.
  const entries = devices.map(({ otaPort }, index) => [
    names[index],
    { address: '127.0.0.1', port: otaPort, facts: index % 2 === 0 ? facts : { flashMode: 'dio' } },
  ]);
  const config = {
    project: 'door',
    devices: Object.fromEntries(entries),
    upload: { password: { env: 'OTA_DEVICE_PASSWORD' } },
  };
  await writeFile(join(folder, 'ota.config.json'), JSON.stringify(config));
}

async function run(argv: readonly string[], write: (text: string) => void): Promise<void> {
  const io: Io = {
    cwd: folder,
    env: { OTA_DEVICE_PASSWORD: password },
    fancy: true,
    fancyStdout: true,
    stdout: { write },
    stderr: { write },
    signal,
    promptSecret: undefined,
    prompt: undefined,
    platform: process.platform,
    userId: process.geteuid?.(),
    home: folder,
    self: { node: process.execPath, cli: 'ota-hooks' },
  };
  await (await makeProgram(io, argv)).parseAsync(argv, { from: 'user' });
}
