import * as v from 'valibot';
import { releaseFindingSchema } from '../../../api/release-info.ts';
import { guardFactsSchema } from '../../../core/model/device-facts.ts';
import { md5, sha256, sizeBytes } from '../../../core/model/fields.ts';
import { manifestSchema, metadataSchema } from '../../../core/model/manifest.ts';
import { errorSchema } from './failure.ts';

/** JSON output of key and file commands. All paths are absolute. */

const path = v.string();
const orNull = <Schema extends v.GenericSchema>(schema: Schema) => v.nullable(schema);
const flash = {
  flashMode: orNull(v.string()),
  flashSizeBytes: orNull(sizeBytes),
  flashFrequencyMHz: orNull(v.number()),
};
const flashRange = v.strictObject({ from: sizeBytes, to: sizeBytes });
const check = { stored: v.number(), computed: v.optional(v.number()), matches: v.boolean() };

const segment = v.strictObject({
  address: v.number(),
  sizeBytes,
  offset: sizeBytes,
  memory: v.picklist(['dram', 'iram', 'irom', 'rom', 'peripheral', 'unknown']),
});

const imageHeader = v.strictObject({
  offset: sizeBytes,
  segmentCount: v.number(),
  entryAddress: v.string(),
  ...flash,
  segments: v.array(segment),
  endOffset: orNull(sizeBytes),
  checksum: orNull(v.strictObject({ offset: sizeBytes, ...check })),
});

export const keygenDocument = v.strictObject({
  privateKey: path,
  publicKey: path,
  bits: v.number(),
  fingerprint: sha256,
  encrypted: v.boolean(),
});

/** Header for a key. `fingerprint` and `bits` are null for an unsigned build, `guard` is null without a guard. */
export const headerDocument = v.strictObject({
  header: path,
  written: v.boolean(),
  fingerprint: orNull(sha256),
  bits: orNull(v.number()),
  /** Fingerprints of the keys that a guarded device accepts. */
  guard: orNull(v.strictObject({ keys: v.array(sha256) })),
});

/** Result of `sign`: a signed file, with --manifest the manifest of the signed build, or with --digest-only the files to sign elsewhere. */
export const signDocument = v.union([
  v.strictObject({ toSign: v.array(v.strictObject({ file: path, sha256 })) }),
  v.strictObject({ signed: path, legacy: orNull(path), fingerprint: sha256 }),
  manifestSchema,
]);

const role = v.picklist(['signing', 'backup', 'retired']);

/** Result of `keys new`: the files of the pair, and the role of the key in the configuration. */
export const keysNewDocument = v.strictObject({ name: v.string(), role, ...keygenDocument.entries });

export const keysAddDocument = v.strictObject({
  name: v.string(),
  role,
  publicKey: path,
  bits: v.number(),
  fingerprint: sha256,
});

/** Result of `keys activate`. `previous` is the name of the key that signed until now. */
export const keysActivateDocument = v.strictObject({ name: v.string(), role, previous: v.string() });

export const keysRetireDocument = v.strictObject({ name: v.string(), role });

/**
 * Result of `keys status`. `devices` counts the devices that accept the key, and `onlyKeyOf` those of them that would reject the signing key.
 * Counts are null without a server.
 */
export const keysStatusDocument = v.strictObject({
  keys: v.array(
    v.strictObject({
      name: v.string(),
      role,
      fingerprint: sha256,
      devices: orNull(v.number()),
      onlyKeyOf: orNull(v.number()),
      mayBeRetired: orNull(v.boolean()),
    }),
  ),
  unverified: orNull(v.number()),
  unknown: orNull(v.number()),
});

/** Result of `keys log verify`. `head` is the hash of the last entry; null for an empty log. */
export const keysLogVerifyDocument = v.strictObject({
  log: path,
  entries: v.number(),
  head: orNull(sha256),
  /** Receipts of the server, all of which the log matches, and the last entry with a receipt. Null without --server. */
  recorded: orNull(v.strictObject({ server: v.string(), receipts: v.number(), entry: v.number() })),
});

/** Result of `pack`: one manifest, or an array of manifests for several images. */
export const packDocument = v.union([manifestSchema, v.array(manifestSchema)]);

export const verifyDocument = v.variant('accepted', [
  v.strictObject({
    file: path,
    accepted: v.literal(true),
    format: v.string(),
    /** Key that made the signature. Null with --device, if the file has no signature. */
    fingerprint: orNull(sha256),
    /** Origin of the file. Null if no manifest beside the file lists it; a field is null if the manifest does not contain it. */
    provenance: orNull(
      v.strictObject({
        sourceCommit: orNull(v.string()),
        builder: orNull(v.string()),
        /** Name and version of the program that packed the build. */
        tool: v.string(),
        core: orNull(v.string()),
      }),
    ),
    warnings: v.array(releaseFindingSchema),
  }),
  v.strictObject({
    file: path,
    accepted: v.literal(false),
    format: v.string(),
    /** Error of the device, in the words of its Updater class. */
    verdict: v.string(),
    error: v.optional(errorSchema),
  }),
]);

export const inspectDocument = v.strictObject({
  file: path,
  sizeBytes,
  md5,
  sha256,
  encoding: v.picklist(['identity', 'gzip']),
  kind: v.picklist(['sketch', 'filesystem', 'unknown']),
  contentBytes: sizeBytes,
  gzip: orNull(
    v.strictObject({
      members: v.array(
        v.strictObject({
          offset: sizeBytes,
          fileName: orNull(v.string()),
          modificationTime: v.number(),
          deflateBytes: sizeBytes,
          inflatedBytes: sizeBytes,
          isize: v.number(),
          crc: v.string(),
          endOffset: sizeBytes,
        }),
      ),
      lowestStaging: orNull(v.strictObject({ erasesFirst: sizeBytes, inflatesFirst: sizeBytes })),
    }),
  ),
  sketch: v.optional(
    v.strictObject({
      core: orNull(v.string()),
      coreGitHash: orNull(v.string()),
      ...flash,
      sizeBytes: orNull(sizeBytes),
      segments: v.array(segment),
      eboot: imageHeader,
      application: v.optional(imageHeader),
      crcRule: v.string(),
      crc: orNull(v.strictObject({ rule: v.string(), storedSizeBytes: v.number(), ...check })),
      sketchMd5s: v.array(
        v.strictObject({ flashMode: v.string(), flashSizeBytes: sizeBytes, flashFrequencyMHz: v.number(), md5 }),
      ),
    }),
  ),
  filesystem: v.optional(
    v.strictObject({
      type: v.picklist(['littlefs', 'spiffs', 'erased']),
      version: v.optional(v.string()),
      blockSizeBytes: v.optional(sizeBytes),
      blockCount: v.optional(sizeBytes),
      partitionBytes: v.optional(sizeBytes),
      usedBytes: sizeBytes,
    }),
  ),
  signature: v.optional(
    v.strictObject({
      format: v.picklist(['current', 'legacy', 'unverified']),
      keyBits: v.number(),
      verifiedBy: orNull(sha256),
    }),
  ),
  metadata: orNull(metadataSchema),
  guard: orNull(guardFactsSchema),
  embeddedKeys: v.array(
    v.strictObject({
      encoding: v.picklist(['pem', 'der', 'modulus']),
      container: v.picklist(['public-key', 'rsa-public-key', 'certificate', 'guard']),
      offset: sizeBytes,
      bits: v.number(),
      fingerprint: sha256,
    }),
  ),
  traces: v.optional(
    v.strictObject({
      sdkVersions: v.array(v.string()),
      updater: v.boolean(),
      arduinoOta: v.boolean(),
      httpUpdate: v.boolean(),
      webUpdater: v.boolean(),
      flashMap: v.optional(v.literal(true)),
    }),
  ),
  enforcement: orNull(v.picklist(['elf', 'declared', 'unproven', 'disproved'])),
  layout: orNull(v.strictObject({ fsStart: sizeBytes, fsEnd: sizeBytes })),
  /** Git commit in the manifest beside the file. */
  sourceCommit: orNull(v.string()),
  /** Flash map of a device while it installs the file. */
  flash: orNull(
    v.strictObject({
      flashSizeBytes: sizeBytes,
      layout: v.optional(v.string()),
      runningSketch: flashRange,
      staged: v.optional(flashRange),
      filesystem: flashRange,
      written: flashRange,
      overwritten: v.optional(flashRange),
      assumptions: v.array(v.string()),
    }),
  ),
  findings: v.array(v.strictObject({ id: v.string(), message: v.string(), offset: v.optional(sizeBytes) })),
});

/** Output of `signing`, the signing.py replacement. A field is null if it was not requested or if no key exists. */
export const signingDocument = v.variant('mode', [
  v.strictObject({ mode: v.literal('header'), header: path, fingerprint: orNull(sha256) }),
  v.strictObject({ mode: v.literal('sign'), signed: orNull(path), legacy: orNull(path) }),
]);
