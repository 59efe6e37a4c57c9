const pageBytes = 256;

/**
 * Builds a formatted SPIFFS image without files: the first page of each block ends with a magic number and an erase count
 * (`spiffs_nucleus.h`).
 */
export function spiffsImage(blocks = 16, blockSizeBytes = 4096): Uint8Array {
  const image = new Uint8Array(blocks * blockSizeBytes).fill(0xff);
  for (let index = 0; index < blocks; index += 1) {
    const magic = 0x0529 ^ pageBytes ^ (blocks - index);
    image.set([magic & 0xff, magic >> 8, 0, 0], index * blockSizeBytes + pageBytes - 4);
  }
  return image;
}
