import { crc32 } from 'node:zlib';
import { productHash } from '../keys/guard-record.ts';
import type { ImageKind } from '../model/artifact.ts';
import type { UpdateMetadata } from '../model/manifest.ts';

/** Size of the metadata in the extra field of a gzip file, or behind a raw image. */
const metadataBytes = 24;

const kinds = ['sketch', 'filesystem'] as const satisfies readonly ImageKind[];

/** Returns the product in metadata as hex digits. Without a name, the product is eight zero bytes, which no device with the guard has. */
export function productDigest(name: string | undefined): string {
  return name === undefined ? '0'.repeat(16) : Buffer.from(productHash(name)).toString('hex');
}

/**
 * Returns the metadata as 24 bytes. All numbers are little-endian: format, kind, flash mode and flash size as one byte each, then member
 * size, lowest start and security version as 32-bit words, then the product.
 */
function encodeMetadata(metadata: UpdateMetadata): Uint8Array {
  const bytes = new Uint8Array(metadataBytes);
  const kind = metadata.kind === 'unknown' ? 0xff : kinds.indexOf(metadata.kind);
  bytes.set([metadata.format, kind, metadata.flashModeByte, metadata.flashSizeByte]);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, metadata.memberBytes, true);
  view.setUint32(8, metadata.lowestStart, true);
  view.setUint32(12, metadata.securityVersion, true);
  bytes.set(Buffer.from(metadata.product, 'hex'), 16);
  return bytes;
}

/** Reads 24 bytes as a device does. Format 0 means that there is no metadata. */
function decodeMetadata(bytes: Uint8Array): UpdateMetadata | undefined {
  const [format = 0, kind = 0xff, flashModeByte = 0, flashSizeByte = 0] = bytes;
  if (bytes.length < metadataBytes || format === 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, metadataBytes);
  return {
    format,
    kind: kinds[kind] ?? 'unknown',
    flashModeByte,
    flashSizeByte,
    memberBytes: view.getUint32(4, true),
    lowestStart: view.getUint32(8, true),
    securityVersion: view.getUint32(12, true),
    product: Buffer.from(bytes.subarray(16, metadataBytes)).toString('hex'),
  };
}

// Gzip header (RFC 1952, 2.3): the extra field follows the ten fixed bytes, and its first subfield follows the length of the field.
const fixedHeaderBytes = 10;
const flagsOffset = 3;
const flagBits = { headerCrc: 0x02, extra: 0x04, fileName: 0x08, comment: 0x10 } as const;
const subfieldId = Buffer.from('OH', 'latin1');
const subfieldOffset = 12;
const gzipMetadataOffset = 16;
const ownExtraBytes = 4 + metadataBytes;

/**
 * Content of the extra field of a gzip file: none, exactly the metadata that {@link withGzipMetadata} writes, or anything else. A device
 * finds metadata only in the first subfield, so a field of another program would hide it.
 */
export function gzipExtraField(gzip: Uint8Array): 'none' | 'metadata' | 'foreign' {
  if (((gzip[flagsOffset] ?? 0) & flagBits.extra) === 0) return 'none';
  return extraBytes(gzip) === ownExtraBytes && subfieldBytes(gzip) === metadataBytes ? 'metadata' : 'foreign';
}

/**
 * Puts metadata into the extra field of a gzip file. The compressed data is unchanged, and the file grows by 30 bytes if it has no metadata
 * yet. The Updater and eboot of cores 2.7.0 and later skip the field (`uzlib_gzip_parse_header`).
 *
 * @param gzip one gzip member, without a foreign extra field ({@link gzipExtraField})
 */
export function withGzipMetadata(gzip: Uint8Array, metadata: UpdateMetadata): Uint8Array {
  const rest = gzip.subarray(fixedHeaderBytes + (gzipExtraField(gzip) === 'none' ? 0 : 2 + ownExtraBytes));
  const result = new Uint8Array(gzipMetadataOffset + metadataBytes + rest.length);
  result.set(gzip.subarray(0, fixedHeaderBytes));
  result[flagsOffset] = (gzip[flagsOffset] ?? 0) | flagBits.extra;
  const view = new DataView(result.buffer);
  view.setUint16(fixedHeaderBytes, ownExtraBytes, true);
  result.set(subfieldId, subfieldOffset);
  view.setUint16(subfieldOffset + 2, metadataBytes, true);
  result.set(encodeMetadata(metadata), gzipMetadataOffset);
  result.set(rest, gzipMetadataOffset + metadataBytes);
  fixHeaderCrc(result);
  return result;
}

/** Reads the metadata of a gzip file as a device does, which checks only the first subfield. */
export function gzipMetadata(gzip: Uint8Array): UpdateMetadata | undefined {
  if (((gzip[flagsOffset] ?? 0) & flagBits.extra) === 0 || (subfieldBytes(gzip) ?? 0) < metadataBytes) return undefined;
  return decodeMetadata(gzip.subarray(gzipMetadataOffset, gzipMetadataOffset + metadataBytes));
}

function extraBytes(gzip: Uint8Array): number {
  return (gzip[fixedHeaderBytes] ?? 0) | ((gzip[fixedHeaderBytes + 1] ?? 0) << 8);
}

/** Returns the size of the first subfield if it contains metadata. */
function subfieldBytes(gzip: Uint8Array): number | undefined {
  if (gzip[subfieldOffset] !== subfieldId[0] || gzip[subfieldOffset + 1] !== subfieldId[1]) return undefined;
  return (gzip[subfieldOffset + 2] ?? 0) | ((gzip[subfieldOffset + 3] ?? 0) << 8);
}

/** Updates the header CRC, the low 16 bits of the CRC-32 of all preceding header bytes (RFC 1952, 2.3.1.2). */
function fixHeaderCrc(gzip: Uint8Array): void {
  const flags = gzip[flagsOffset] ?? 0;
  if ((flags & flagBits.headerCrc) === 0) return;
  const texts = [flagBits.fileName, flagBits.comment].filter((flag) => (flags & flag) !== 0);
  const at = texts.reduce((start) => gzip.indexOf(0, start) + 1, gzipMetadataOffset + metadataBytes);
  new DataView(gzip.buffer).setUint16(at, crc32(gzip.subarray(0, at)) & 0xffff, true);
}

const trailerMagic = Buffer.from('OTAHOOK1', 'latin1');

/** Size of the metadata behind a raw image, with its magic. */
export const rawMetadataBytes = trailerMagic.length + metadataBytes;

/**
 * Appends metadata to a raw image. Devices ignore bytes behind an image, so the signature can cover the metadata.
 *
 * @param image raw image, padded to a multiple of 4 bytes
 */
export function withRawMetadata(image: Uint8Array, metadata: UpdateMetadata): Uint8Array {
  const result = new Uint8Array(image.length + rawMetadataBytes);
  result.set(image);
  result.set(trailerMagic, image.length);
  result.set(encodeMetadata(metadata), image.length + trailerMagic.length);
  return result;
}

/**
 * Reads the metadata behind a raw image as a device does.
 *
 * @param payload raw image without a signature
 */
export function rawMetadata(payload: Uint8Array): UpdateMetadata | undefined {
  const offset = payload.length - rawMetadataBytes;
  if (payload.length % 4 !== 0 || offset < 0) return undefined;
  const magic = payload.subarray(offset, offset + trailerMagic.length);
  return trailerMagic.equals(magic) ? decodeMetadata(payload.subarray(offset + trailerMagic.length)) : undefined;
}
