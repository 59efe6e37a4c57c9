/** NOR flash as an array of bytes, address 0 first. These functions change the array that they are given; its owner is the caller. */

/** The smallest piece that can be erased: `FLASH_SECTOR_SIZE` in spi_flash_geometry.h. */
export const sectorBytes = 4096;

/** A chip as it comes from the factory: every bit set. */
export function erasedFlash(sizeBytes: number): Uint8Array {
  return new Uint8Array(sizeBytes).fill(0xff);
}

/** `sizeBytes`, rounded up to whole sectors. */
export function roundUpToSector(sizeBytes: number): number {
  return Math.ceil(sizeBytes / sectorBytes) * sectorBytes;
}

/**
 * Sets every bit of the sector at `address`.
 *
 * @returns false when the sector is not within the chip: then nothing changes
 */
export function eraseSector(flash: Uint8Array, address: number): boolean {
  if (!isWithin(flash, address, sectorBytes)) return false;
  flash.fill(0xff, address, address + sectorBytes);
  return true;
}

/**
 * Programs bytes: a bit can only be cleared, so that what is written over old content is the AND of both.
 *
 * @returns false when the bytes do not fit within the chip: then nothing changes
 */
export function programFlash(flash: Uint8Array, address: number, bytes: Uint8Array): boolean {
  if (!isWithin(flash, address, bytes.length)) return false;
  const target = flash.subarray(address, address + bytes.length);
  for (let index = 0; index < target.length; index++) {
    target[index] = (target[index] ?? 0) & (bytes[index] ?? 0);
  }
  return true;
}

/**
 * Reads into `into`.
 *
 * @returns false when the bytes are not within the chip: then `into` keeps what it had
 */
export function readFlash(flash: Uint8Array, address: number, into: Uint8Array): boolean {
  if (!isWithin(flash, address, into.length)) return false;
  into.set(flash.subarray(address, address + into.length));
  return true;
}

function isWithin(flash: Uint8Array, address: number, lengthBytes: number): boolean {
  return address >= 0 && address + lengthBytes <= flash.length;
}
