import { sectorBytes } from './flash.ts';
import { UzlibInflater } from './uzlib-inflate.ts';
import { inputBlockBytes } from './uzlib-input.ts';

/** How fast eboot takes in a gzip while it writes what comes out. */
export interface InflateProfile {
  /** All blocks that are read until the last byte is out. */
  readonly blocks: number;
  /** How many blocks have been read before, and after, each sector of output is inflated: sector 0 first. */
  readonly blocksBefore: readonly number[];
  readonly blocksAfter: readonly number[];
}

/**
 * Inflates as eboot does and notes when it reads what.
 *
 * @param gzip without a signature behind it
 * @param sizeBytes of the content
 * @returns undefined when eboot cannot inflate it
 */
export function inflateProfile(gzip: Uint8Array, sizeBytes: number): InflateProfile | undefined {
  let position = 0;
  const inflater = new UzlibInflater((block) => {
    const piece = gzip.subarray(position, position + block.length);
    block.set(piece);
    block.fill(0xff, piece.length);
    position += inputBlockBytes;
  });
  if (!inflater.parseHeader()) return undefined;
  const blocksBefore: number[] = [];
  const blocksAfter: number[] = [];
  const output = new Uint8Array(sectorBytes);
  for (let left = sizeBytes; left > 0; left -= sectorBytes) {
    blocksBefore.push(inflater.blocksRead);
    if (inflater.inflate(output.subarray(0, Math.min(left, sectorBytes))) === 'broken') return undefined;
    blocksAfter.push(inflater.blocksRead);
  }
  return { blocks: inflater.blocksRead, blocksBefore, blocksAfter };
}

/**
 * The lowest flash address at which the gzip of a sketch can be staged so that eboot, which writes from address 0 on, never
 * erases input that it has yet to read.
 *
 * @param erasesBeforeInflating the habit of the device's core: before 3.0.0 a sector is erased before its content is read
 */
export function lowestSafeStaging(profile: InflateProfile, erasesBeforeInflating: boolean): number {
  const blocksRead = erasesBeforeInflating ? profile.blocksBefore : profile.blocksAfter;
  let lowest = 0;
  for (const [sector, blocks] of blocksRead.entries()) {
    if (blocks === profile.blocks) break;
    // The sector must end at or before the first block that is still to be read.
    lowest = Math.max(lowest, (sector + 1) * sectorBytes - blocks * inputBlockBytes);
  }
  return lowest;
}
