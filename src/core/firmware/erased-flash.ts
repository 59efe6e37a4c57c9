/** What an erased flash cell reads as. */
const erasedByte = 0xff;

/** How many bytes from the start are in use: after the last one that is not erased. */
export function usedExtent(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === erasedByte) end -= 1;
  return end;
}
