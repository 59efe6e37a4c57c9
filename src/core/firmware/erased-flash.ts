const erasedByte = 0xff;

/** Returns the number of bytes up to and including the last byte that is not erased. */
export function usedExtent(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === erasedByte) end -= 1;
  return end;
}
