import { crc8266 } from '../../src/core/firmware/crc8266.ts';

/** A segment of an image: `bytes`, loaded at `address`. */
export interface BuiltSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Fields of a test image; the defaults make a valid image of core 3.1.2. */
export interface ImageRecipe {
  /** Core generation, which determines where the image stores its size and CRC. Cores up to 2.6.3 store neither. */
  readonly generation?: '3' | '2.7' | '2.6';
  readonly coreHash?: number;
  readonly modeByte?: number;
  readonly sizeAndFrequencyByte?: number;
  readonly entryAddress?: number;
  /** Contents of the first segment after its leading words, such as text or keys. */
  readonly flashContent?: Uint8Array;
  /** Segments after the first one. */
  readonly ramSegments?: readonly BuiltSegment[];
}

const hashesByGeneration = { '3': 0x210897ef, '2.7': 0x2843a5ac, '2.6': 0x3d128e5c } as const;
const sectorBytes = 4096;
const flashAddress = 0x40200000;
const defaultRam: readonly BuiltSegment[] = [
  { address: 0x40100000, bytes: new Uint8Array(64).fill(0x21) },
  { address: 0x3ffe8000, bytes: new Uint8Array(32).fill(0x43) },
];

/** Offset of the application's first segment in every image built here. */
export const flashSegmentOffset = 0x1010;
/** Address of `flashContent` in images of core 3. */
export const flashContentAddress = flashAddress + flashSegmentOffset + 12;

/** Builds an Arduino .bin as elf2bin.py does: eboot, padding, application, size and CRC. */
export function buildImage(recipe: ImageRecipe = {}): Uint8Array<ArrayBuffer> {
  const { generation = '3', modeByte = 0, sizeAndFrequencyByte = 0x40 } = recipe;
  const entryAddress = recipe.entryAddress ?? 0x40100004;
  const eboot = buildHeaderedImage([{ address: 0x4010f000, bytes: new Uint8Array(200).fill(0x5a) }], {
    modeByte,
    sizeAndFrequencyByte,
    entryAddress: 0x4010f000,
  });
  const application = buildHeaderedImage(
    [
      { address: flashAddress + flashSegmentOffset, bytes: flashSegment(recipe, generation) },
      ...(recipe.ramSegments ?? defaultRam),
    ],
    { modeByte, sizeAndFrequencyByte, entryAddress },
  );
  const image = new Uint8Array(sectorBytes + application.length).fill(0xaa);
  image.set(eboot, 0);
  image.set(application, sectorBytes);
  if (generation !== '2.6') fillSizeAndCrc(image, generation);
  return image;
}

/** Sections of the application's ELF before elf2bin: the words that elf2bin fills in are zero. */
export function sectionsOf(recipe: ImageRecipe = {}): readonly BuiltSegment[] {
  const { generation = '3' } = recipe;
  return [
    { address: flashAddress + flashSegmentOffset, bytes: flashSegment(recipe, generation) },
    ...(recipe.ramSegments ?? defaultRam),
  ];
}

/** Recomputes size and CRC after a test changed bytes that the CRC covers. */
export function fillSizeAndCrc(image: Uint8Array, generation: '3' | '2.7'): void {
  const at = generation === '3' ? sectorBytes + 16 : 4088;
  setWord(image, at, 0);
  setWord(image, at + 4, 0);
  const crc = crc8266(image);
  setWord(image, at, image.length);
  setWord(image, at + 4, crc);
}

export function setWord(bytes: Uint8Array, offset: number, value: number): void {
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length).setUint32(offset, value >>> 0, true);
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}

function flashSegment(recipe: ImageRecipe, generation: '3' | '2.7' | '2.6'): Uint8Array {
  const content = recipe.flashContent ?? new Uint8Array(1000).fill(0x17);
  const head = new Uint8Array(generation === '3' ? 12 : 4);
  setWord(head, head.length - 4, recipe.coreHash ?? hashesByGeneration[generation]);
  const padding = new Uint8Array((4 - (content.length % 4)) % 4);
  return concatBytes(head, content, padding);
}

interface HeaderFields {
  readonly modeByte: number;
  readonly sizeAndFrequencyByte: number;
  readonly entryAddress: number;
}

function buildHeaderedImage(segments: readonly BuiltSegment[], fields: HeaderFields): Uint8Array {
  const header = Uint8Array.of(0xe9, segments.length, fields.modeByte, fields.sizeAndFrequencyByte, 0, 0, 0, 0);
  setWord(header, 4, fields.entryAddress);
  const parts: Uint8Array[] = [header];
  let checksum = 0xef;
  for (const { address, bytes } of segments) {
    const segmentHeader = new Uint8Array(8);
    setWord(segmentHeader, 0, address);
    setWord(segmentHeader, 4, bytes.length);
    parts.push(segmentHeader, bytes);
    for (const byte of bytes) checksum ^= byte;
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const padding = new Uint8Array(16 - (length % 16));
  padding[padding.length - 1] = checksum;
  return concatBytes(...parts, padding);
}
