import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { rekeyImage } from '../fixtures/rekey.ts';
import { door } from '../support/built-sketch.ts';
import { runCommand } from '../support/run-command.ts';
import { type TestFolder, testFolder } from '../support/test-folder.ts';

/** Files of a packed build by name. */
export type BuildFiles = Readonly<Record<string, Uint8Array>>;

export interface PackQuestion {
  readonly file?: string;
  readonly version?: string;
  readonly board?: string;
  readonly argv?: readonly string[];
  readonly keys?: { readonly privatePem: string; readonly publicPem: string };
  /** Five letters; each value produces a different sketch. */
  readonly network?: string;
  readonly withElf?: boolean;
}

/** Packs the fixture sketch with the `pack` command. */
export function packDoor(question: PackQuestion = {}): Promise<BuildFiles> {
  const { file = 'door.ino.bin', version, board, argv = [], keys = door, network = 'house', withElf = true } = question;
  const { bin, elf } = rekeyImage(withNetwork(door.bin, network), withNetwork(door.elf, network), keys.publicPem);
  const names = [...(version ? ['--firmware-version', version] : []), ...(board ? ['--board', board] : [])];
  const program = withElf ? { [file.replace(/\.bin$/, '.elf')]: elf } : {};
  return packFile({ [file]: bin, ...program }, [file, ...names, ...argv], keys);
}

/**
 * Packs any image.
 *
 * @returns the output of `pack`, without the ELF and the keys
 */
export async function packFile(
  files: Readonly<Record<string, Uint8Array>>,
  argv: readonly string[],
  keys: { readonly privatePem: string; readonly publicPem: string } = door,
): Promise<BuildFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'ota-hooks-packed-'));
  try {
    await writeFile(join(folder, 'private.key'), keys.privatePem, { mode: 0o600 });
    await writeFile(join(folder, 'public.key'), keys.publicPem);
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
    const { exitCode, error, stderr } = await runCommand(['pack', ...argv], { cwd: folder });
    if (exitCode !== 0) throw error ?? new Error(stderr);
    const names = (await readdir(folder)).filter((name) => !/\.(key|elf)$/.test(name));
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))])));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The build that most tests publish, packed once. */
export const packedDoor = await packDoor({ version: '1.0.0', board: 'd1_mini' });

/** Build of version 1.1.0. Its image differs from the image of version 1.0.0. */
export const nextDoor = await packDoor({ version: '1.1.0', board: 'd1_mini', network: 'hotel' });

function withNetwork(file: Uint8Array, name: string): Uint8Array {
  const text = Buffer.from(file).toString('latin1').replace('"ssid":"house"', `"ssid":"${name}"`);
  return Buffer.from(text, 'latin1');
}

/** Creates a folder with builds in subfolders and with additional files. */
export function folderWith(
  t: ExecutionContext,
  builds: Readonly<Record<string, BuildFiles>>,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<TestFolder> {
  const all: Record<string, string | Uint8Array> = { ...files };
  for (const [folder, build] of Object.entries(builds)) {
    for (const [name, bytes] of Object.entries(build)) all[`${folder}/${name}`] = bytes;
  }
  return testFolder(t, all);
}
