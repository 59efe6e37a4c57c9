import { createInflateRaw } from 'node:zlib';
import { sectorBytes } from './flash.ts';
import { UzlibInflater } from './uzlib-inflate.ts';
import { inputBlockBytes } from './uzlib-input.ts';

/** Record of how much input eboot reads while it inflates a gzip file. */
export interface InflateProfile {
  /** Number of input blocks read before the last byte is written. */
  readonly blocks: number;
  /** Numbers of input blocks read before and after each output sector is inflated, starting with sector 0. */
  readonly blocksBefore: readonly number[];
  readonly blocksAfter: readonly number[];
}

/** Minimum gzip size for using zlib. For a smaller file, the model finishes before zlib has opened a stream. */
const worthStreamingBytes = 32 * 1024;

/**
 * Computes how much input eboot has read at each output sector.
 *
 * zlib produces the same profile as the model of eboot's inflater, because both read a byte only when they need it. In a process that has
 * just started, zlib is ten times faster. The model is used for small files and for input that zlib rejects.
 *
 * @param gzip compressed bytes without a signature
 * @param sizeBytes uncompressed size
 * @returns undefined if eboot cannot inflate the file
 */
export async function inflateProfile(gzip: Uint8Array, sizeBytes: number): Promise<InflateProfile | undefined> {
  const streamed = gzip.length < worthStreamingBytes ? undefined : await streamedProfile(gzip, sizeBytes);
  return streamed ?? modeledProfile(gzip, sizeBytes);
}

/** Computes the same profile as {@link inflateProfile}, but always with the model of eboot's inflater. */
export function modeledProfile(gzip: Uint8Array, sizeBytes: number): InflateProfile | undefined {
  const inflater = inflaterOf(gzip);
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

/** Computes the profile with zlib. Returns undefined if zlib stops before the last byte. */
async function streamedProfile(gzip: Uint8Array, sizeBytes: number): Promise<InflateProfile | undefined> {
  const header = inflaterOf(gzip);
  if (!header.parseHeader()) return undefined;
  const blocksBefore: number[] = [];
  const blocksAfter: number[] = [];
  let blocks = header.blocksRead;
  let written = 0;
  for await (const bytes of inflatedByBlock(gzip, header.consumedBytes)) {
    blocks = bytes.block + 1;
    for (; written < sizeBytes && bytes.total >= Math.min(written + sectorBytes, sizeBytes); written += sectorBytes) {
      blocksBefore.push(blocksAfter.at(-1) ?? header.blocksRead);
      blocksAfter.push(blocks);
    }
    if (written >= sizeBytes) return { blocks, blocksBefore, blocksAfter };
  }
  return undefined;
}

/** Writes the deflate data to zlib in blocks. Yields the total output size after each block, until the stream ends or fails. */
async function* inflatedByBlock(gzip: Uint8Array, from: number): AsyncGenerator<{ block: number; total: number }> {
  const stream = createInflateRaw();
  let total = 0;
  let isOver = false;
  stream.on('data', (piece: Uint8Array) => {
    total += piece.length;
  });
  const over = new Promise<void>((resolve) => {
    for (const event of ['end', 'error', 'close']) stream.once(event, () => resolve());
  }).then(() => {
    isOver = true;
  });
  try {
    for (let at = from; at < gzip.length && !isOver; ) {
      const block = Math.floor(at / inputBlockBytes);
      const end = (block + 1) * inputBlockBytes;
      await Promise.race([over, new Promise<void>((resolve) => stream.write(gzip.subarray(at, end), () => resolve()))]);
      yield { block, total };
      at = end;
    }
  } finally {
    stream.destroy();
  }
}

function inflaterOf(gzip: Uint8Array): UzlibInflater {
  let position = 0;
  return new UzlibInflater((block) => {
    const piece = gzip.subarray(position, position + block.length);
    block.set(piece);
    block.fill(0xff, piece.length);
    position += inputBlockBytes;
  });
}

/**
 * Returns the lowest flash address at which a gzip-compressed sketch can safely be staged: at this address or above, eboot never erases
 * input that it has not read yet.
 *
 * @param erasesBeforeInflating true for cores before 3.0.0, in which eboot erases each sector before it inflates the sector's content
 */
export function lowestSafeStaging(profile: InflateProfile, erasesBeforeInflating: boolean): number {
  const blocksRead = erasesBeforeInflating ? profile.blocksBefore : profile.blocksAfter;
  let lowest = 0;
  for (const [sector, blocks] of blocksRead.entries()) {
    if (blocks === profile.blocks) break;
    // The written sector must end at or before the first unread input block.
    lowest = Math.max(lowest, (sector + 1) * sectorBytes - blocks * inputBlockBytes);
  }
  return lowest;
}
