import { readOptionalFile } from '../../files/read.ts';

/**
 * Reads a user's text file with one character per byte, which preserves text in any encoding.
 *
 * @returns undefined if there is no file
 * @throws OtaError FILE_UNREADABLE
 */
export async function readText(path: string): Promise<string | undefined> {
  const bytes = await readOptionalFile(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
}

/** Converts text from ota-hooks to one character per byte. */
export function inBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Converts text with one character per byte to the bytes of a file. */
export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
