/**
 * Pads a raw image to a multiple of 4 bytes with bytes of erased flash. Only an image to which the build appended data needs padding.
 * Cores 3.1.0 to 3.1.2 reject unaligned signed payloads of both encodings.
 */
export function padToWord(image: Uint8Array): Uint8Array {
  const excess = image.length % 4;
  if (excess === 0) return image;
  const padded = new Uint8Array(image.length + 4 - excess).fill(0xff);
  padded.set(image);
  return padded;
}
