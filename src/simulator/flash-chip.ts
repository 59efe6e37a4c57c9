import { erasedFlash, sectorBytes } from '../core/device-model/flash.ts';
import { sharedSector } from './shared-sectors.ts';

/**
 * The flash of one virtual device, of which only the sectors that are not erased are kept: a process may hold hundreds of chips of 4 MB.
 * The models of the Updater and of eboot work on a whole array; they get one for as long as they run, and all chips of a size share it.
 */
export class FlashChip {
  readonly sizeBytes: number;
  #sectors = new Map<number, Uint8Array>();

  /** @param content what lies at 0; it is not copied, so leave it as it is */
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
   * Runs `work` on the whole chip and keeps what it changed.
   *
   * @param work must be done with the array when it returns
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
