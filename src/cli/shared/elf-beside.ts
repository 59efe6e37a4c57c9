import { extname, resolve } from 'node:path';
import { artifactSuffixes } from '../../core/model/artifact.ts';
import { readNamedFile, readOptionalFile } from '../../files/read.ts';
import type { Io } from '../io.ts';

/** A linked program, and where it lies. */
export interface LinkedProgram {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * The program that an image was made from: the one that is named, or the one beside the image (or beside what an artifact was made of)
 * under the name of the sketch. It may be absent, and then proves nothing.
 *
 * @throws OtaError FILE_NOT_FOUND when the one that is named is not there
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
