import { findGuard } from '../keys/guard-record.ts';
import type { RsaPublicKey } from '../keys/public-key.ts';
import type { GuardFacts } from '../model/device-facts.ts';
import type { UpdateMetadata } from '../model/manifest.ts';
import { type EmbeddedKey, findEmbeddedKeys } from './embedded-keys.ts';
import { type FilesystemImage, readFilesystemImage } from './filesystem-image.ts';
import type { Finding, Reading } from './finding.ts';
import { findForeignImage } from './foreign-image.ts';
import { type GunzippedFile, type GzipFraming, readGzip } from './gzip-framing.ts';
import { looksLikeGzip } from './gzip-header.ts';
import { findTrailer, type SignatureTrailer } from './signature-trailer.ts';
import { findSketchEnd, looksLikeSketch, readSketchImage, type SketchImage } from './sketch-image.ts';
import { findTraces, type Traces } from './traces.ts';
import { gzipMetadata, rawMetadata, rawMetadataBytes } from './update-metadata.ts';

/** Information that can be read from the bytes of a file alone. */
export interface Firmware {
  readonly sizeBytes: number;
  readonly encoding: 'identity' | 'gzip';
  readonly gzip: GzipFraming | undefined;
  readonly trailer: SignatureTrailer | undefined;
  /** File without the signature trailer: the bytes that are signed and that eboot copies. */
  readonly payload: Uint8Array;
  /** Metadata for devices with the guard: in the header of a gzip file, or between a raw image and its signature. */
  readonly metadata: UpdateMetadata | undefined;
  /** Payload after gunzip; empty if gunzip fails. For a payload that is not gzip, the payload without its metadata. */
  readonly content: Uint8Array;
  readonly kind: 'sketch' | 'filesystem' | 'unknown';
  readonly sketch: SketchImage | undefined;
  readonly filesystem: FilesystemImage | undefined;
  readonly embeddedKeys: readonly EmbeddedKey[];
  /** Guard of a sketch image; undefined without the guard. */
  readonly guard: GuardFacts | undefined;
  /** Evidence from the strings in a sketch image; undefined for a filesystem image. */
  readonly traces: Traces | undefined;
  readonly findings: readonly Finding[];
}

export interface ReadFirmwareOptions {
  /**
   * Keys that may have signed the file, in addition to embedded keys. An embedded key can identify the signer, but does not make the
   * signer trusted.
   */
  readonly knownKeys?: readonly RsaPublicKey[] | undefined;
  /** Maximum uncompressed size of a gzip file in bytes. The default is 16 MiB, the largest flash of an ESP8266. */
  readonly maxContentBytes?: number | undefined;
  /**
   * Replacement for `readGzip` with the same size limit. Callers use it to inflate identical files only once.
   *
   * @internal
   */
  readonly gunzip?: Gunzip | undefined;
}

/** Inflates a file that begins with the gzip magic. */
export type Gunzip = (file: Uint8Array) => Reading<GunzippedFile>;

export const largestFlashBytes = 16 * 1024 * 1024;

/** Reads arbitrary bytes. Never throws on invalid bytes; each irregularity is reported as a finding. */
export function readFirmware(bytes: Uint8Array, options: ReadFirmwareOptions = {}): Firmware {
  const { knownKeys = [], maxContentBytes = largestFlashBytes } = options;
  const { gunzip = (file) => readGzip(file, maxContentBytes) } = options;
  return looksLikeGzip(bytes) ? readGzipFile(bytes, knownKeys, gunzip) : readPlainFile(bytes, knownKeys);
}

function readGzipFile(file: Uint8Array, knownKeys: readonly RsaPublicKey[], gunzip: Gunzip): Firmware {
  const { value: gunzipped, findings } = gunzip(file);
  const { framing, content } = gunzipped;
  const image = readImage(content);
  const embedded = findEmbeddedKeys(content);
  const trailer = findTrailer(file, framing.endOffset, candidates(knownKeys, embedded.value));
  const payload = file.subarray(0, trailer.value?.offset ?? file.length);
  return {
    sizeBytes: file.length,
    encoding: 'gzip',
    gzip: framing,
    trailer: trailer.value,
    payload,
    metadata: gzipMetadata(payload),
    content,
    kind: image.kind,
    sketch: image.sketch,
    filesystem: image.filesystem,
    embeddedKeys: embedded.value,
    guard: image.sketch === undefined ? undefined : guardFacts(content),
    traces: image.sketch === undefined ? undefined : findTraces(content),
    findings: [
      ...findings,
      ...trailer.findings,
      ...dataAfter(payload.length, framing.endOffset, 'gzip'),
      ...image.findings,
      ...dataAfter(content.length, image.endOffset, 'image'),
      ...nestedGzip(content),
      ...embedded.findings,
    ],
  };
}

function readPlainFile(file: Uint8Array, knownKeys: readonly RsaPublicKey[]): Firmware {
  const embedded = findEmbeddedKeys(file);
  const trailer = findTrailer(file, findImageEnd(file), candidates(knownKeys, embedded.value));
  const { payload, metadata, content } = rawParts(file, trailer.value);
  const image = readImage(content);
  return {
    sizeBytes: file.length,
    encoding: 'identity',
    gzip: undefined,
    trailer: trailer.value,
    payload,
    metadata,
    content,
    kind: image.kind,
    sketch: image.sketch,
    filesystem: image.filesystem,
    embeddedKeys: embedded.value,
    guard: image.sketch === undefined ? undefined : guardFacts(content),
    traces: image.sketch === undefined ? undefined : findTraces(content),
    findings: [
      ...trailer.findings,
      ...image.findings,
      ...dataAfter(content.length, image.endOffset, 'image'),
      ...embedded.findings,
    ],
  };
}

/** Encoding and signature of a file. */
export type Envelope = Pick<Firmware, 'encoding' | 'trailer' | 'payload' | 'metadata' | 'content'>;

/**
 * Reads only the encoding and the signature of a file, the properties in which the artifacts of an image differ.
 *
 * @param keys keys that may have signed the file; include the embedded keys for the same result as from `readFirmware`
 */
export function readEnvelope(file: Uint8Array, keys: readonly RsaPublicKey[], gunzip: Gunzip): Envelope {
  const gunzipped = looksLikeGzip(file) ? gunzip(file).value : undefined;
  const endOffset = gunzipped === undefined ? findImageEnd(file) : gunzipped.framing.endOffset;
  const trailer = findTrailer(file, endOffset, keys).value;
  if (gunzipped === undefined) return { encoding: 'identity', trailer, ...rawParts(file, trailer) };
  const payload = file.subarray(0, trailer?.offset ?? file.length);
  return { encoding: 'gzip', trailer, payload, metadata: gzipMetadata(payload), content: gunzipped.content };
}

/** Splits a raw file. Only a signed file can contain metadata: the image itself stays as the compiler made it. */
function rawParts(
  file: Uint8Array,
  trailer: SignatureTrailer | undefined,
): Pick<Firmware, 'payload' | 'metadata' | 'content'> {
  const payload = file.subarray(0, trailer?.offset ?? file.length);
  const metadata = trailer === undefined ? undefined : rawMetadata(payload);
  return { payload, metadata, content: metadata === undefined ? payload : payload.subarray(0, -rawMetadataBytes) };
}

function guardFacts(content: Uint8Array): GuardFacts | undefined {
  const guard = findGuard(content);
  if (guard === undefined) return undefined;
  const { keys, product, securityVersion, require } = guard;
  return {
    keys: keys.map(({ fingerprint }) => fingerprint),
    product: Buffer.from(product).toString('hex'),
    securityVersion,
    require,
  };
}

/** Returns the end of the image according to the image's own structure. Data after the image does not affect the result. */
function findImageEnd(file: Uint8Array): number | undefined {
  const partitionBytes = readFilesystemImage(file).value?.partitionBytes;
  if (partitionBytes !== undefined) return partitionBytes <= file.length ? partitionBytes : undefined;
  return looksLikeSketch(file) ? findSketchEnd(file) : undefined;
}

interface Image {
  readonly kind: Firmware['kind'];
  readonly sketch: SketchImage | undefined;
  readonly filesystem: FilesystemImage | undefined;
  /** End of the image according to the image's own structure; undefined if the structure does not determine the end. */
  readonly endOffset: number | undefined;
  readonly findings: readonly Finding[];
}

function readImage(content: Uint8Array): Image {
  const filesystem = readFilesystemImage(content);
  // A valid superblock can begin with 0xe9. With a damaged superblock, content that begins with 0xe9 is more likely a sketch.
  if (filesystem.value !== undefined && !(looksLikeSketch(content) && filesystem.value.partitionBytes === undefined)) {
    return {
      kind: 'filesystem',
      sketch: undefined,
      filesystem: filesystem.value,
      endOffset: undefined,
      findings: filesystem.findings,
    };
  }
  const foreign = findForeignImage(content);
  if (foreign === undefined && looksLikeSketch(content)) {
    const { value, findings } = readSketchImage(content);
    return { kind: 'sketch', sketch: value, filesystem: undefined, endOffset: value?.sketchSizeBytes, findings };
  }
  return {
    kind: 'unknown',
    sketch: undefined,
    filesystem: undefined,
    endOffset: undefined,
    findings: [foreign ?? unknownContent(content)],
  };
}

function unknownContent(content: Uint8Array): Finding {
  if (content.length === 0) return { id: 'empty-file', message: 'the content is empty' };
  const message = 'the content is neither a sketch (first byte 0xe9) nor a recognized filesystem';
  return { id: 'unknown-content', message, offset: 0 };
}

/** Devices ignore data after an image, and builds append data there. eboot misinterprets data after gzip data. */
function dataAfter(length: number, endOffset: number | undefined, of: 'image' | 'gzip'): readonly Finding[] {
  if (endOffset === undefined || length <= endOffset) return [];
  const place = of === 'image' ? 'image' : 'gzip data';
  const count = length - endOffset;
  const message = `${count} ${count === 1 ? 'byte follows' : 'bytes follow'} the end of the ${place}`;
  return [{ id: of === 'image' ? 'data-after-image' : 'data-after-gzip', message, offset: endOffset }];
}

function nestedGzip(content: Uint8Array): readonly Finding[] {
  if (!looksLikeGzip(content)) return [];
  return [
    { id: 'gzip-nested', message: 'the gzip file contains another gzip file, but eboot inflates only once', offset: 0 },
  ];
}

function candidates(known: readonly RsaPublicKey[], embedded: readonly EmbeddedKey[]): readonly RsaPublicKey[] {
  const fingerprints = new Set(known.map(({ fingerprint }) => fingerprint));
  return [...known, ...embedded.map(({ key }) => key).filter(({ fingerprint }) => !fingerprints.has(fingerprint))];
}
