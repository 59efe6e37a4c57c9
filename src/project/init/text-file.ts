import { readOptionalFile } from '../../files/read.ts';

/**
 * A text file of the user's, one character a byte: whatever its encoding is, what is not ours survives byte for byte.
 *
 * @throws OtaError FILE_UNREADABLE
 */
export async function readText(path: string): Promise<string | undefined> {
  const bytes = await readOptionalFile(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1');
}

/** Our own words in the same form. */
export function inBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The bytes to write. */
export function toBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
