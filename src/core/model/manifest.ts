import * as v from 'valibot';
import { OtaError } from '../../errors/ota-error.ts';
import type { CrcRule, Encoding, FlashMode, ImageKind, SignatureFormat } from './artifact.ts';
import { type GuardFacts, guardFactsSchema, productField } from './device-facts.ts';
import { allowanceReason, flashMode, md5, printable, type Same, sha256, sizeBytes } from './fields.ts';

/**
 * JSON file beside the artifacts of a build. Upload, publish, the server and signing on a different machine read the manifest instead of
 * the image.
 */
export interface Manifest {
  /** Version of the manifest format. */
  manifest: 1;
  tool: { name: string; version: string };
  project?: string | undefined;
  version?: string | undefined;
  board?: string | undefined;
  /** Git commit that was checked out in the project when the build was packed. Files may have differed from the commit. */
  sourceCommit?: string | undefined;
  /** Builder of the image: the URL of the run of a build server, or `local` for the machine of a person. Absent if it is unknown. */
  builder?: string | undefined;
  image: ManifestImage;
  /** Fingerprints of all RSA public keys in the image. */
  embeddedKeys: string[];
  /** Proof, if any, that a device running this image verifies its next update. */
  enforcement: 'elf' | 'declared' | 'unproven';
  signing: ManifestSigning;
  /** Metadata that the artifacts contain. Absent if the build was packed without metadata. */
  metadata?: ManifestMetadata | undefined;
  artifacts: Artifact[];
  /** Preflight rules that the project allows. Absent if there are none. */
  allowedRules?: RuleAllowance[] | undefined;
  /** Name of the copies of this build, without a suffix (`artifacts.name` in the configuration). */
  copyName?: string | undefined;
  /** In the manifest of copies: file name of the original image in the same folder. */
  copyOf?: string | undefined;
}

/** Preflight rule that a project allows, and the reason. Rules about proof, keys and signatures are never allowed this way. */
export interface RuleAllowance {
  rule: string;
  reason: string;
}

/** Image: the file that the compiler or the filesystem tool wrote. */
export interface ManifestImage {
  /** File name of the image, without a folder. */
  file: string;
  kind: ImageKind;
  encoding: Encoding;
  sizeBytes: number;
  /** Uncompressed size of a gzip file. For all other files, the file size. */
  contentBytes: number;
  /** Size of a sketch without the data that its build appended: the result of `ESP.getSketchSize()`. Absent if equal to `contentBytes`. */
  sketchSizeBytes?: number | undefined;
  md5: string;
  sha256: string;
  findings: ManifestFinding[];
  /** Core release of a sketch, from the git hash in the image. Absent if the image contains no recognized git hash. */
  core?: string | undefined;
  coreGitHash?: string | undefined;
  /** Location of the CRC in the image, which differs between generations of the core. Absent for a filesystem image. */
  crcRule?: CrcRule | undefined;
  flashMode?: FlashMode | undefined;
  flashSizeBytes?: number | undefined;
  flashFrequencyMHz?: number | undefined;
  /** Location of the filesystem as flash offsets: `_FS_start` and `_FS_end` from the ELF. */
  layout?: { fsStart: number; fsEnd: number } | undefined;
  /** Properties of a sketch image; absent for a filesystem image. */
  traces?: SketchTraces | undefined;
  /** Libraries that the sketch uses according to the symbols of its ELF file; absent without an ELF file. */
  symbols?: { updater: boolean; filesystem: boolean } | undefined;
  /** Guard of a sketch, which checks the metadata of updates. Absent without the guard. */
  guard?: GuardFacts | undefined;
  /** Properties of a filesystem image; absent for a sketch image. */
  filesystem?: FilesystemFacts | undefined;
  /** Possible results of `ESP.getSketchMD5()` for this image: one for each flash mode, size and frequency. */
  sketchMd5s: SketchMd5[];
}

/** Public key for the signatures, and options for signing the build. */
export interface ManifestSigning {
  /** Key that signs updates of devices that run this build, and this build itself, unless it is a hop. Absent for an unsigned project. */
  publicKey?: ManifestKey | undefined;
  /**
   * Key that signed the artifacts of a hop: devices that have this key install the build, and require `publicKey` from then on. Absent for
   * all other builds, which `publicKey` signed.
   */
  previousKey?: ManifestKey | undefined;
  /** True if the raw image is also signed for core 2.5.x. */
  legacy: boolean;
  /** True if the compressed filesystem image is also signed. */
  compressedFilesystem: boolean;
}

/** Public key with its fingerprint and its size in bits. */
export interface ManifestKey {
  fingerprint: string;
  bits: number;
  pem: string;
}

/** Names and numbers in the metadata of all artifacts of a build. */
export interface ManifestMetadata {
  /** Name of the product. Absent if the project has no name; no device with the guard accepts the metadata then. */
  product?: string | undefined;
  securityVersion: number;
  /** True if raw signed artifacts contain the metadata too. Gzip artifacts always contain it. */
  raw: boolean;
}

/** Facts about an update that a device with the guard checks. Only the first 8 bytes of the digest of the product name are in the bytes. */
export interface UpdateMetadata {
  /** Version of the metadata, 1 or later. */
  format: number;
  /** Kind of the image. `unknown`: a value that devices reject for every kind of update. */
  kind: ImageKind | 'unknown';
  /** Bytes 2 and 3 of a sketch image as it was signed; 0 for a filesystem image. */
  flashModeByte: number;
  flashSizeByte: number;
  /** Size of the gzip member without the signature in bytes; 0 for a raw image. */
  memberBytes: number;
  /** Lowest flash offset at which eboot of every core can inflate the update; 0 for a raw image or a filesystem. */
  lowestStart: number;
  /** Security version. A device rejects an update with a lower version than its own. */
  securityVersion: number;
  /** Product as 16 hex digits. */
  product: string;
}

/** File for devices: the image in one encoding, signed or unsigned. */
export interface Artifact {
  /** Name of the artifact file, which is beside the manifest. */
  file: string;
  encoding: Encoding;
  signature: 'none' | SignatureFormat;
  sizeBytes: number;
  /** Size without the signature and its length word. */
  payloadBytes: number;
  /** Facts about inflating a gzip file. Absent for other encodings, or if the file cannot be inflated. */
  inflate?: InflateFacts | undefined;
  /** Metadata in the file. Absent if the file contains no metadata. */
  metadata?: UpdateMetadata | undefined;
  md5: string;
  sha256: string;
  /** Fingerprint of the key that signed the artifact. Absent if `signature` is `none`. */
  keyFingerprint?: string | undefined;
}

/** Facts about inflating a gzip file with eboot. */
export interface InflateFacts {
  /** Number of bytes that eboot writes. */
  sizeBytes: number;
  /**
   * Lowest safe flash offset for staging a compressed sketch: below this offset, eboot overwrites input before reading it. `erasesFirst`
   * applies to cores before 3.0.0, in which eboot erases a sector before it inflates the content.
   */
  lowestStaging?: { erasesFirst: number; inflatesFirst: number } | undefined;
}

/** MD5 that a device computes for a sketch with one flash mode, size and frequency. */
export interface SketchMd5 {
  flashMode: FlashMode;
  flashSizeBytes: number;
  flashFrequencyMHz: number;
  md5: string;
}

/** SDK versions and libraries detected by strings in a sketch. Without `updater`, the sketch may be unable to install updates. */
export interface SketchTraces {
  sdkVersions: string[];
  updater: boolean;
  arduinoOta: boolean;
  httpUpdate: boolean;
  webUpdater: boolean;
  /** True for a sketch with FLASH_MAP_SUPPORT, which determines its flash layout when it starts. */
  flashMap?: true | undefined;
}

export interface FilesystemFacts {
  /** Type of the filesystem. `unknown`: SPIFFS without a magic number, which cannot be detected. */
  type: 'littlefs' | 'spiffs' | 'erased' | 'unknown';
  blockSizeBytes?: number | undefined;
  blockCount?: number | undefined;
  /** End of the last block that is not erased. A LittleFS image can be cut off at this offset. */
  usedBytes: number;
  /**
   * Byte 2 of the image. Cores 2.4.2 to 2.6.2 overwrite this byte with the device's flash mode even in a filesystem image
   * (esp8266/Arduino#6880).
   */
  modeByte: number;
}

/** Irregularity in the image: an ID for preflight rules, and a message with the numbers. */
export interface ManifestFinding {
  id: string;
  message: string;
}

/** Name of a file beside the manifest. Paths are rejected, because a manifest must not refer to files in other folders. */
// Drive letters are rejected. On Windows, `C:door.bin` resolves to a file in a different folder.
const fileName = v.pipe(
  v.string(),
  v.regex(/^(?![A-Za-z]:)[^/\\\0]+$/, 'must be a file name without a folder'),
  v.notValue('.'),
  v.notValue('..'),
  printable,
);

const label = v.pipe(v.string(), printable);

const inflateSchema = v.strictObject({
  sizeBytes,
  lowestStaging: v.optional(v.strictObject({ erasesFirst: sizeBytes, inflatesFirst: sizeBytes })),
});

const byte = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xff));
const word = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff));

/** @internal */
export const metadataSchema = v.strictObject({
  format: v.pipe(byte, v.minValue(1)),
  kind: v.picklist(['sketch', 'filesystem', 'unknown']),
  flashModeByte: byte,
  flashSizeByte: byte,
  memberBytes: word,
  lowestStart: word,
  securityVersion: word,
  product: productField,
});

const artifactSchema = v.strictObject({
  file: fileName,
  encoding: v.picklist(['identity', 'gzip']),
  signature: v.picklist(['none', 'current', 'legacy']),
  sizeBytes,
  payloadBytes: sizeBytes,
  inflate: v.optional(inflateSchema),
  metadata: v.optional(metadataSchema),
  md5,
  sha256,
  keyFingerprint: v.optional(sha256),
});

const sketchMd5Schema = v.strictObject({
  flashMode,
  flashSizeBytes: sizeBytes,
  flashFrequencyMHz: v.number(),
  md5,
});

const tracesSchema = v.strictObject({
  sdkVersions: v.array(v.string()),
  updater: v.boolean(),
  arduinoOta: v.boolean(),
  httpUpdate: v.boolean(),
  webUpdater: v.boolean(),
  flashMap: v.optional(v.literal(true)),
});

const filesystemSchema = v.strictObject({
  type: v.picklist(['littlefs', 'spiffs', 'erased', 'unknown']),
  blockSizeBytes: v.optional(sizeBytes),
  blockCount: v.optional(sizeBytes),
  usedBytes: sizeBytes,
  modeByte: sizeBytes,
});

const findingSchema = v.strictObject({ id: v.string(), message: v.string() });

const imageSchema = v.strictObject({
  file: fileName,
  kind: v.picklist(['sketch', 'filesystem']),
  encoding: v.picklist(['identity', 'gzip']),
  sizeBytes,
  contentBytes: sizeBytes,
  sketchSizeBytes: v.optional(sizeBytes),
  md5,
  sha256,
  findings: v.array(findingSchema),
  core: v.optional(v.string()),
  coreGitHash: v.optional(v.string()),
  crcRule: v.optional(v.picklist(['none', 'eboot-page', 'application', 'unknown'])),
  flashMode: v.optional(flashMode),
  flashSizeBytes: v.optional(sizeBytes),
  flashFrequencyMHz: v.optional(v.number()),
  layout: v.optional(v.strictObject({ fsStart: sizeBytes, fsEnd: sizeBytes })),
  traces: v.optional(tracesSchema),
  symbols: v.optional(v.strictObject({ updater: v.boolean(), filesystem: v.boolean() })),
  guard: v.optional(guardFactsSchema),
  filesystem: v.optional(filesystemSchema),
  sketchMd5s: v.array(sketchMd5Schema),
});

const keySchema = v.strictObject({ fingerprint: sha256, bits: v.number(), pem: v.string() });

/** Manifest format version that this release writes, and the newest version that it reads. */
const manifestFormat = 1;

/** @internal */
export const manifestSchema = v.strictObject({
  manifest: v.literal(manifestFormat),
  tool: v.strictObject({ name: label, version: label }),
  project: v.optional(label),
  version: v.optional(label),
  board: v.optional(label),
  sourceCommit: v.optional(
    v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be the ID of a git commit')),
  ),
  builder: v.optional(v.pipe(label, v.maxLength(2048))),
  image: imageSchema,
  embeddedKeys: v.array(sha256),
  enforcement: v.picklist(['elf', 'declared', 'unproven']),
  signing: v.strictObject({
    publicKey: v.optional(keySchema),
    previousKey: v.optional(keySchema),
    legacy: v.boolean(),
    compressedFilesystem: v.boolean(),
  }),
  metadata: v.optional(v.strictObject({ product: v.optional(label), securityVersion: word, raw: v.boolean() })),
  artifacts: v.array(artifactSchema),
  allowedRules: v.optional(v.array(v.strictObject({ rule: label, reason: allowanceReason }))),
  copyName: v.optional(fileName),
  copyOf: v.optional(fileName),
});

true satisfies Same<Manifest, v.InferOutput<typeof manifestSchema>>;

/** Reason for rejecting a manifest. `newerFormat` is the manifest's format version if it is newer than `manifestFormat`. */
export interface InvalidManifest {
  readonly reason: string;
  readonly newerFormat?: number | undefined;
}

/**
 * Parses the text of a manifest.
 *
 * @returns the manifest, or the reason for rejecting the text
 */
export function parseManifest(text: string): { manifest: Manifest } | InvalidManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    // The message of JSON.parse would contain the bytes.
    if (/[\0\ufffd]/.test(text)) return { reason: 'it is a binary file, such as an image, not JSON' };
    return { reason: `it is not JSON (${error instanceof Error ? error.message : String(error)})` };
  }
  const { success, output: start } = v.safeParse(v.object({ manifest: v.number() }), json);
  if (success && start.manifest > manifestFormat) {
    const found = start.manifest;
    return { reason: `manifest format ${found} is newer than ${manifestFormat}`, newerFormat: found };
  }
  // Only the first problem is reported, because a long list of invalid items would produce many problems.
  const result = v.safeParse(manifestSchema, json, { abortEarly: true });
  if (result.success) return { manifest: result.output };
  const issue = result.issues[0];
  return { reason: `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}` };
}

/**
 * Reads the text of a manifest file.
 *
 * @param path file path for error messages
 * @throws OtaError MANIFEST_INVALID, FORMAT_TOO_NEW
 */
export function readManifest(text: string | Uint8Array, path: string): Manifest {
  const parsed = parseManifest(typeof text === 'string' ? text : Buffer.from(text).toString('utf8'));
  if ('manifest' in parsed) return parsed.manifest;
  const { reason, newerFormat } = parsed;
  if (newerFormat === undefined) throw new OtaError('MANIFEST_INVALID', { path, reason });
  throw new OtaError('FORMAT_TOO_NEW', { of: path, what: 'manifest', found: newerFormat, known: manifestFormat });
}

/** Formats a manifest as JSON with sorted keys, so that equal builds have identical manifests. */
export function formatManifest(manifest: Manifest): string {
  return `${stringifySorted(manifest, 0)}\n`;
}

/** Depth from which values are written on one line, so that the 112 sketch MD5s form a table. */
const inlineDepth = 3;

function stringifySorted(value: unknown, depth: number): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const isArray = Array.isArray(value);
  const items = isArray
    ? value.map((item) => stringifySorted(item, depth + 1))
    : Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => `${JSON.stringify(key)}: ${stringifySorted(item, depth + 1)}`);
  const [open, close] = isArray ? ['[', ']'] : ['{', '}'];
  if (items.length === 0) return `${open}${close}`;
  if (depth >= inlineDepth) return `${open} ${items.join(', ')} ${close}`;
  const indent = '  '.repeat(depth + 1);
  return `${open}\n${items.map((item) => indent + item).join(',\n')}\n${'  '.repeat(depth)}${close}`;
}
