import { readOptionalFile } from '../../files/read.ts';

/**
 * Reads a text file of the user, one character per byte, so that text of any encoding is kept byte for byte.
 *
 * @returns undefined if there is no file
 * @throws OtaError FILE_UNREADABLE
 */
export async function readText(path: string): Promise<string | undefined> {
  const bytes = await readOptionalFile(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
}

/** Converts our own text to the same form. */
export function inBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Converts the text to the bytes of the file. */
export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
