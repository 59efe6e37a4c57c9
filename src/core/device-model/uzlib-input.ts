/** Size of the blocks in which eboot passes input to uzlib (`uzlib_flash_read_cb` in eboot.c). */
export const inputBlockBytes = 4096;

/** Fills a block with the next input. As in uzlib, this callback runs only when a bit of the block is needed. */
export type ReadBlock = (block: Uint8Array) => void;

/**
 * Bit reader that works like uzlib's (`uzlib_get_byte`, `tinf_getbit`, `tinf_read_bits` in tinflate.c). It requests blocks as late as uzlib
 * does, because eboot may overwrite its own input.
 */
export class UzlibInput {
  /** Number of input blocks read. */
  blocksRead = 0;
  /** Buffered bits, with the next bit lowest; bits above `heldBits` are zero. */
  held = 0;
  heldBits = 0;
  readonly #readBlock: ReadBlock;
  readonly #block = new Uint8Array(inputBlockBytes);
  #position = inputBlockBytes;

  constructor(readBlock: ReadBlock) {
    this.#readBlock = readBlock;
  }

  /** Number of bytes consumed. A byte counts as consumed when one of its bits has been used. */
  get consumedBytes(): number {
    return this.blocksRead * inputBlockBytes - (inputBlockBytes - this.#position) - (this.heldBits >> 3);
  }

  /** Reads up to 16 bits. The first bit becomes the lowest. */
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

  /** Discards buffered bits. */
  drop(count: number): void {
    this.held >>>= count;
    this.heldBits -= count;
  }

  /** Discards the rest of a partially used byte. */
  dropToByte(): void {
    this.drop(this.heldBits & 7);
  }

  /** Buffers at least 17 bits, or fewer at the end of the current block. */
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
