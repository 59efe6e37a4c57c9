import { extname, resolve } from 'node:path';
import { artifactSuffixes } from '../../core/model/artifact.ts';
import { readNamedFile, readOptionalFile } from '../../files/read.ts';
import type { Io } from '../io.ts';

/** ELF file: its path and contents. */
export interface LinkedProgram {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads the ELF file of an image: the file `named`, or else the .elf file beside the image. Artifact suffixes such as `.gz.signed` are not
 * part of the ELF file name. Without an ELF file, preflight cannot prove that the sketch verifies signatures.
 *
 * @returns undefined if `named` is undefined and there is no .elf file beside the image
 * @throws OtaError FILE_NOT_FOUND if the file `named` does not exist
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
