import { sectorBytes } from '../core/device-model/flash.ts';
import { sharedSector } from './shared-sectors.ts';

/** Received bytes of an upload, stored by sector. Identical sectors of all virtual devices in the process are stored only once. */
export class ReceivedBytes {
  readonly #sectors: Uint8Array[] = [];
  readonly #last = new Uint8Array(sectorBytes);
  #lastCount = 0;

  get count(): number {
    return this.#sectors.length * sectorBytes + this.#lastCount;
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + sectorBytes - this.#lastCount);
      this.#last.set(piece, this.#lastCount);
      this.#lastCount += piece.length;
      at += piece.length;
      if (this.#lastCount < sectorBytes) break;
      this.#sectors.push(sharedSector(this.#last));
      this.#lastCount = 0;
    }
  }

  /** Returns all received bytes in one contiguous array. */
  joined(): Uint8Array {
    return Buffer.concat([...this.#sectors, this.#last.subarray(0, this.#lastCount)]);
  }
}
