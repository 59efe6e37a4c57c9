import { readFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { type TestFolder, testFolder } from './test-folder.ts';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));

/** What a build of the small fixture sketch leaves behind, and the pair that it was built with. */
export const door = {
  bin: fixture('firmware/small.bin'),
  elf: fixture('firmware/small.elf'),
  privatePem: fixture('keys/test-only-private.pem').toString(),
  publicPem: fixture('keys/test-only-public.pem').toString(),
};

/** The same of a sketch of usual size, for tests that depend on the time it takes or the room it needs. */
export const fullDoor = {
  bin: fixture('firmware/door.bin'),
  elf: fixture('firmware/door.elf'),
};

/** The ELF as it is when core.a came from an unsigned build: the Updater knows no verifier. */
export function elfWithoutVerifier(): Uint8Array {
  return Buffer.from(door.elf.toString('latin1').replaceAll('updaterSigning', 'updaterSilence'), 'latin1');
}

/** A folder with the sketch's build and its keys in it; more files, or others in their place, by name. */
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
