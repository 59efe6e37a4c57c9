/** eboot hands its input to uzlib in pieces of this size (`uzlib_flash_read_cb` in eboot.c). */
export const inputBlockBytes = 4096;

/** Fills the block with the next input. Called only when a bit of it is needed, as uzlib does. */
export type ReadBlock = (block: Uint8Array) => void;

/**
 * The input of uzlib, bit by bit (`uzlib_get_byte`, `tinf_getbit`, `tinf_read_bits` in tinflate.c). It may hold bytes of the
 * present block that nobody has needed yet, for speed, but it never asks for a block before a bit of it is needed: what
 * eboot has read of a flash that it overwrites depends on that.
 */
export class UzlibInput {
  /** How many blocks were asked for so far. */
  blocksRead = 0;
  /** The bits at hand, the next one lowest; those above `heldBits` are zero. */
  held = 0;
  heldBits = 0;
  readonly #readBlock: ReadBlock;
  readonly #block = new Uint8Array(inputBlockBytes);
  #position = inputBlockBytes;

  constructor(readBlock: ReadBlock) {
    this.#readBlock = readBlock;
  }

  /** Bytes taken so far: a byte counts as soon as one of its bits is used. */
  get consumedBytes(): number {
    return this.blocksRead * inputBlockBytes - (inputBlockBytes - this.#position) - (this.heldBits >> 3);
  }

  /** Up to 16 bits, the first one lowest. */
  bits(count: number): number {
    while (this.heldBits < count) this.#holdByte();
    const value = this.held & ((1 << count) - 1);
    this.drop(count);
    return value;
  }

  byte(): number {
    return this.bits(8);
  }

  halfWord(): number {
    return this.bits(16);
  }

  skip(countBytes: number): void {
    for (let left = countBytes; left > 0; left--) this.byte();
  }

  /** Forgets bits that are held. */
  drop(count: number): void {
    this.held >>>= count;
    this.heldBits -= count;
  }

  /** The rest of a byte of which some bits were used. */
  dropToByte(): void {
    this.drop(this.heldBits & 7);
  }

  /** Holds at least 17 bits, or all that the present block still has. */
  holdWhatIsThere(): void {
    while (this.heldBits <= 16 && this.#position < inputBlockBytes) this.#holdByte();
  }

  #holdByte(): void {
    if (this.#position === inputBlockBytes) {
      this.#readBlock(this.#block);
      this.blocksRead++;
      this.#position = 0;
    }
    this.held |= (this.#block[this.#position++] ?? 0) << this.heldBits;
    this.heldBits += 8;
  }
}
