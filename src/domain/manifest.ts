import * as v from 'valibot';
import { flashMode, md5, sha256, sizeBytes } from './fields.ts';

/** A name beside the manifest, never a path: a manifest must not reach for other files. */
// Without a drive either: resolved on Windows, `C:door.bin` is a file elsewhere.
const fileName = v.pipe(
  v.string(),
  v.regex(/^(?![A-Za-z]:)[^/\\\0]+$/, 'not a plain file name'),
  v.notValue('.'),
  v.notValue('..'),
);

/** What eboot makes of a gzip. */
const inflateSchema = v.strictObject({
  /** What it writes. */
  sizeBytes,
  /**
   * Of a sketch: the lowest flash offset at which the gzip can be staged so that eboot's writes, from 0 on, never reach input that it
   * has yet to read; for an eboot that erases a sector before it inflates its content (before core 3.0.0), and for one that inflates
   * first.
   */
  lowestStaging: v.optional(v.strictObject({ erasesFirst: sizeBytes, inflatesFirst: sizeBytes })),
});

const artefactSchema = v.strictObject({
  file: fileName,
  encoding: v.picklist(['identity', 'gzip']),
  signature: v.picklist(['none', 'current', 'legacy']),
  sizeBytes,
  /** Without the signature and its length word. */
  payloadBytes: sizeBytes,
  /** Of a gzip; absent when it does not inflate. */
  inflate: v.optional(inflateSchema),
  md5,
  sha256,
  /** The key that signed it; absent when signature is `none`. */
  keyFingerprint: v.optional(sha256),
});

const sketchMd5Schema = v.strictObject({
  flashMode,
  flashSizeBytes: sizeBytes,
  flashFrequencyMHz: v.number(),
  md5,
});

/** What strings in a sketch show of its libraries; without `updater` it may take no further update. */
const tracesSchema = v.strictObject({
  sdkVersions: v.array(v.string()),
  updater: v.boolean(),
  arduinoOta: v.boolean(),
  httpUpdate: v.boolean(),
  webUpdater: v.boolean(),
});

const filesystemSchema = v.strictObject({
  /** `unknown`: a SPIFFS without magic, which only its maker can tell from other bytes. */
  type: v.picklist(['littlefs', 'spiffs', 'erased', 'unknown']),
  blockSizeBytes: v.optional(sizeBytes),
  blockCount: v.optional(sizeBytes),
  /** Up to the end of the last block that is not erased; what follows can be cut off a LittleFS. */
  usedBytes: sizeBytes,
  /** Byte 2, where cores 2.4.2 to 2.6.2 put their flash mode even into a filesystem (esp8266/Arduino#6880). */
  modeByte: sizeBytes,
});

/** Something odd about the image: a name that rules know, and a sentence with the numbers in it. */
const findingSchema = v.strictObject({ id: v.string(), message: v.string() });

/** What the compiler or the filesystem tool made. */
const imageSchema = v.strictObject({
  file: fileName,
  kind: v.picklist(['sketch', 'filesystem']),
  encoding: v.picklist(['identity', 'gzip']),
  sizeBytes,
  /** After gunzip, where the file is a gzip. */
  contentBytes: sizeBytes,
  md5,
  sha256,
  findings: v.array(findingSchema),
  /** Of a sketch: the release of the core by its git hash; absent when the image does not say. */
  core: v.optional(v.string()),
  coreGitHash: v.optional(v.string()),
  flashMode: v.optional(flashMode),
  flashSizeBytes: v.optional(sizeBytes),
  flashFrequencyMHz: v.optional(v.number()),
  /** Where the filesystem stands in flash under this build, as offsets from 0; from `_FS_start` and `_FS_end` of the ELF. */
  layout: v.optional(v.strictObject({ fsStart: sizeBytes, fsEnd: sizeBytes })),
  /** Of a sketch. */
  traces: v.optional(tracesSchema),
  /** Of a filesystem. */
  filesystem: v.optional(filesystemSchema),
  /** What `ESP.getSketchMD5()` can give while this image runs, under every flash mode, size and frequency. */
  sketchMd5s: v.array(sketchMd5Schema),
});

export const manifestSchema = v.strictObject({
  /** The version of this format. */
  manifest: v.literal(1),
  tool: v.strictObject({ name: v.string(), version: v.string() }),
  project: v.optional(v.string()),
  version: v.optional(v.string()),
  board: v.optional(v.string()),
  image: imageSchema,
  /** Fingerprints of all RSA public keys in the image. */
  embeddedKeys: v.array(sha256),
  /** How it is known that a device running this image will verify its next update. */
  enforcement: v.picklist(['elf', 'declared', 'unproven']),
  signing: v.strictObject({
    /** The public half of the key that signed, or will sign; absent for an unsigned project. */
    publicKey: v.optional(v.strictObject({ fingerprint: sha256, bits: v.number(), pem: v.string() })),
    legacy: v.boolean(),
    compressedFilesystem: v.boolean(),
  }),
  artefacts: v.array(artefactSchema),
});

/** The JSON beside the artefacts that says all of a build: read by signing elsewhere, upload, publish and the server. */
export type Manifest = v.InferOutput<typeof manifestSchema>;
export type Artefact = v.InferOutput<typeof artefactSchema>;

/**
 * Reads a manifest's text.
 *
 * @returns the manifest, or the reason why it is none
 */
export function parseManifest(text: string): { manifest: Manifest } | { reason: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { reason: `not JSON (${error instanceof Error ? error.message : String(error)})` };
  }
  // Only the first problem is told, and a long list of wrong items has many.
  const result = v.safeParse(manifestSchema, json, { abortEarly: true });
  if (result.success) return { manifest: result.output };
  const issue = result.issues[0];
  return { reason: `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}` };
}

/** The manifest's text: keys sorted, so that the same build gives the same bytes. */
export function formatManifest(manifest: Manifest): string {
  return `${stringifySorted(manifest, 0)}\n`;
}

/** Below this depth a value stands on one line: 112 sketch MD5s are a table, not a page each. */
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
