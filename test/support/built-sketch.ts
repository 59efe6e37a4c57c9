import { readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { type TestFolder, testFolder } from './test-folder.ts';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));

/** Build outputs of the small fixture sketch, and its key pair. */
export const door = {
  bin: fixture('firmware/small.bin'),
  elf: fixture('firmware/small.elf'),
  privatePem: fixture('keys/test-only-private.pem').toString(),
  publicPem: fixture('keys/test-only-public.pem').toString(),
};

/** Build outputs of a sketch of typical size, for tests that depend on transfer time or size. */
export const fullDoor = {
  bin: fixture('firmware/door.bin'),
  elf: fixture('firmware/door.elf'),
};

/** An ELF linked with the core.a of an unsigned build: its Updater has no verifier. */
export function elfWithoutVerifier(): Uint8Array {
  return Buffer.from(door.elf.toString('latin1').replaceAll('updaterSigning', 'updaterSilence'), 'latin1');
}

/** Creates a folder with the sketch's build and keys; `files` adds or replaces files by name. */
export async function builtSketch(
  t: ExecutionContext,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  { bin, elf }: typeof fullDoor = door,
): Promise<TestFolder> {
  return testFolder(t, {
    'private.key': door.privatePem,
    'public.key': door.publicPem,
    'build/door.ino.bin': bin,
    'build/door.ino.elf': elf,
    ...files,
  });
}
