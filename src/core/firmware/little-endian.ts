/** The unsigned 32-bit little-endian word at `offset`, or undefined where the bytes end before it does. */
export function wordAt(bytes: Uint8Array, offset: number): number | undefined {
  const highest = bytes[offset + 3];
  if (highest === undefined || offset < 0) return undefined;
  return (
    (byteAt(bytes, offset) | (byteAt(bytes, offset + 1) << 8) | (byteAt(bytes, offset + 2) << 16) | (highest << 24)) >>>
    0
  );
}

/** The unsigned 16-bit little-endian number at `offset`, or undefined where the bytes end before it does. */
export function halfWordAt(bytes: Uint8Array, offset: number): number | undefined {
  const high = bytes[offset + 1];
  if (high === undefined || offset < 0) return undefined;
  return byteAt(bytes, offset) | (high << 8);
}

/** `value` as eight hex digits, the way in which addresses and core versions are written. */
export function hexWord(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

function byteAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset] ?? 0;
}
