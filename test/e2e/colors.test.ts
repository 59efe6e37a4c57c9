/** Output of commands on a pseudo-terminal, with and without colors. */
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { door } from '../support/built-sketch.ts';
import { listed, packedDoor, virtualDoor } from '../support/fleet.ts';
import { type TestFolder, testFolder } from '../support/test-folder.ts';

const onTerminal = fileURLToPath(new URL('upload/on-terminal.py', import.meta.url));
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

interface Show {
  readonly folder: TestFolder;
  readonly argv: readonly string[];
  /** Keys typed at the prompt. */
  readonly keys?: string;
}

/** Commands that draw or use colors. Commands modify their folder, so each run has its own. */
const shows: Readonly<Record<string, (t: ExecutionContext) => Promise<Show>>> = {
  doctor: async (t) => ({ folder: await testFolder(t, { 'home/.keep': '' }), argv: ['doctor', '--source', 'home'] }),
  init: async (t) => ({
    folder: await testFolder(t, { 'door.ino': '' }),
    argv: ['init', '--source', '.'],
    keys: '\\x03',
  }),
  discover: async (t) => ({
    folder: await testFolder(t),
    argv: ['discover', '--interface', '127.0.0.1', '--timeout', '1'],
  }),
  upload: async (t) => {
    const device = await virtualDoor(t, { link: { windowBytes: 5840, rttMs: 20 } });
    return { folder: await packedDoor(t, { door: listed(device) }), argv: ['upload', 'build/door.ino.bin', '--all'] };
  },
  espota: async (t) => {
    const device = await virtualDoor(t);
    const argv = ['espota', '-r', '-i', device.host, '-p', String(device.otaPort), '-f', 'build/door.ino.bin'];
    return { folder: await packedDoor(t), argv };
  },
  'pack with a warning': async (t) => {
    const folder = await testFolder(t, { 'door.bin': door.bin });
    return { folder, argv: ['pack', 'door.bin', '--unsigned', '--compression', 'zopfli'] };
  },
  'verify with an error': async (t) => ({
    folder: await testFolder(t),
    argv: ['verify', 'gone.bin', '--public-key', 'gone.key'],
  }),
};

async function shown({ folder, argv, keys = '' }: Show, env: Readonly<Record<string, string>>): Promise<string> {
  const world = { CI: '', NO_COLOR: '', TERM: 'xterm', HOME: folder.at('nobody'), ...env };
  const program = ['python3', onTerminal, keys, process.execPath, cli, ...argv];
  const [first = '', ...rest] = program;
  const { stdout } = await execa(first, rest, { cwd: folder.path, env: world, reject: false, timeout: 480_000 });
  // Empty output would pass the color checks.
  if (stdout.trim() === '') throw new Error('the command printed no output');
  return stdout;
}

const start = '\u001b';
const color = new RegExp(`${start}\\[[0-9;]*m`);
/** Colors, progress bars and other redrawing. CR LF does not count: a terminal ends every line with it. */
const drawn = new RegExp(`${start}|\\r(?![\\r\\n])`);

for (const [name, make] of Object.entries(shows)) {
  test.serial(`draws on a terminal and prints no colors with NO_COLOR, --no-color or CI: ${name}`, async (t) => {
    t.regex(await shown(await make(t), {}), drawn);
    const plain = await make(t);
    t.notRegex(await shown(plain, { NO_COLOR: '1' }), color, 'NO_COLOR');
    const told = await make(t);
    t.notRegex(await shown({ ...told, argv: [...told.argv, '--no-color'] }, {}), color, '--no-color');
    if (name !== 'init') t.notRegex(await shown(await make(t), { CI: 'true' }), drawn, 'CI');
  });
}
