import { erasedFlash, sectorBytes } from '../core/device-model/flash.ts';
import { sharedSector } from './shared-sectors.ts';

/**
 * Flash of one virtual device. Only non-erased sectors are stored, because a process may simulate hundreds of 4 MB chips. The models of
 * the Updater and eboot work on a temporary array with the whole flash content. All chips of the same size share this array.
 */
export class FlashChip {
  readonly sizeBytes: number;
  #sectors = new Map<number, Uint8Array>();

  /** @param content flash content from address 0; it is not copied and must not be modified */
  constructor(sizeBytes: number, content: Uint8Array) {
    this.sizeBytes = sizeBytes;
    for (let start = 0; start < Math.min(content.length, sizeBytes); start += sectorBytes) {
      const piece = content.subarray(start, start + sectorBytes);
      this.#sectors.set(start / sectorBytes, piece.length === sectorBytes ? piece : padded(piece));
    }
  }

  read(address: number, lengthBytes: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(lengthBytes, this.sizeBytes - address))).fill(0xff);
    for (let index = Math.floor(address / sectorBytes); index * sectorBytes < address + bytes.length; index++) {
      const sector = this.#sectors.get(index);
      if (sector === undefined) continue;
      const from = Math.max(0, address - index * sectorBytes);
      const at = index * sectorBytes + from - address;
      bytes.set(sector.subarray(from, from + bytes.length - at), at);
    }
    return bytes;
  }

  /**
   * Runs `work` on the whole flash and stores the changes.
   *
   * @param work function that must not use the array after returning
   */
  change<Result>(work: (flash: Uint8Array) => Result): Result {
    const flash = sharedArray(this.sizeBytes);
    for (const [index, sector] of this.#sectors) flash.set(sector, index * sectorBytes);
    const result = work(flash);
    this.#keep(flash);
    return result;
  }

  #keep(flash: Uint8Array): void {
    for (let index = 0; index * sectorBytes < flash.length; index++) {
      const now = flash.subarray(index * sectorBytes, (index + 1) * sectorBytes);
      const before = this.#sectors.get(index);
      if (Buffer.compare(now, before ?? erasedSector) === 0) continue;
      if (Buffer.compare(now, erasedSector) === 0) this.#sectors.delete(index);
      else this.#sectors.set(index, sharedSector(now));
    }
  }
}

const erasedSector = erasedFlash(sectorBytes);
const shared = new Map<number, Uint8Array>();

function sharedArray(sizeBytes: number): Uint8Array {
  const known = shared.get(sizeBytes);
  if (known !== undefined) return known.fill(0xff);
  const flash = erasedFlash(sizeBytes);
  shared.set(sizeBytes, flash);
  return flash;
}

function padded(piece: Uint8Array): Uint8Array {
  const sector = erasedFlash(sectorBytes);
  sector.set(piece);
  return sector;
}
