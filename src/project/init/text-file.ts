import { readOptionalFile } from '../../files/read.ts';

/**
 * Reads a user's text file, one character per byte, so that text in any encoding is preserved byte for byte.
 *
 * @returns undefined if there is no file
 * @throws OtaError FILE_UNREADABLE
 */
export async function readText(path: string): Promise<string | undefined> {
  const bytes = await readOptionalFile(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
}

/** Converts our own text to the same representation. */
export function inBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Converts the text back to the bytes of a file. */
export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
