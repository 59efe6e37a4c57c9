import { extname, resolve } from 'node:path';
import { artifactSuffixes } from '../../core/model/artifact.ts';
import { readNamedFile, readOptionalFile } from '../../files/read.ts';
import type { Io } from '../io.ts';

/** A linked program and its path. */
export interface LinkedProgram {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Finds the program that an image was made from: the given file, or the .elf with the same name beside the image (or beside the image of an
 * artifact). Without it, nothing can be proven.
 *
 * @returns undefined if none was given and there is none beside the image
 * @throws OtaError FILE_NOT_FOUND if the given file does not exist
 */
export async function findElf(file: string, named: string | undefined, io: Io): Promise<LinkedProgram | undefined> {
  if (named !== undefined) {
    const path = resolve(io.cwd, named);
    return { path, bytes: await readNamedFile(path, 'ELF') };
  }
  const suffix = [...artifactSuffixes].reverse().find((end) => file.endsWith(end)) ?? '';
  const image = file.slice(0, file.length - suffix.length);
  const path = `${image.slice(0, image.length - extname(image).length)}.elf`;
  const bytes = await readOptionalFile(path);
  return bytes && { path, bytes };
}
