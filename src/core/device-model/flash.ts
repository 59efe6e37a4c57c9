/** NOR flash as an array of bytes, starting at address 0. The functions modify the array in place. */

/** Size of a flash sector, the smallest erasable unit, in bytes (`FLASH_SECTOR_SIZE` in spi_flash_geometry.h). */
export const sectorBytes = 4096;

/** Returns the content of an erased flash chip, in which every bit is set. */
export function erasedFlash(sizeBytes: number): Uint8Array {
  return new Uint8Array(sizeBytes).fill(0xff);
}

/** Rounds a size up to whole flash sectors. */
export function roundUpToSector(sizeBytes: number): number {
  return Math.ceil(sizeBytes / sectorBytes) * sectorBytes;
}

/**
 * Erases the sector at `address` by setting every bit.
 *
 * @returns false, without changing anything, if the sector is outside the chip
 */
export function eraseSector(flash: Uint8Array, address: number): boolean {
  if (!isWithin(flash, address, sectorBytes)) return false;
  flash.fill(0xff, address, address + sectorBytes);
  return true;
}

/**
 * Writes bytes to flash. A write can only clear bits, so the result is the bitwise AND of the old and new content.
 *
 * @returns false, without changing anything, if the bytes do not fit in the chip
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
 * Fills `into` with the bytes that start at `address`.
 *
 * @returns false, leaving `into` unchanged, if the bytes are outside the chip
 */
export function readFlash(flash: Uint8Array, address: number, into: Uint8Array): boolean {
  if (!isWithin(flash, address, into.length)) return false;
  into.set(flash.subarray(address, address + into.length));
  return true;
}

function isWithin(flash: Uint8Array, address: number, lengthBytes: number): boolean {
  return address >= 0 && address + lengthBytes <= flash.length;
}
