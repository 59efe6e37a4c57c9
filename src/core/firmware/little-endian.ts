/** Returns the unsigned 32-bit little-endian word at `offset`, or undefined if the word extends past the end of the bytes. */
export function wordAt(bytes: Uint8Array, offset: number): number | undefined {
  const highest = bytes[offset + 3];
  if (highest === undefined || offset < 0) return undefined;
  return (
    (byteAt(bytes, offset) | (byteAt(bytes, offset + 1) << 8) | (byteAt(bytes, offset + 2) << 16) | (highest << 24)) >>>
    0
  );
}

/** Returns the unsigned 16-bit little-endian number at `offset`, or undefined if the number extends past the end of the bytes. */
export function halfWordAt(bytes: Uint8Array, offset: number): number | undefined {
  const high = bytes[offset + 1];
  if (high === undefined || offset < 0) return undefined;
  return byteAt(bytes, offset) | (high << 8);
}

/** Formats a 32-bit number as eight hex digits. */
export function hexWord(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

function byteAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0;
}
