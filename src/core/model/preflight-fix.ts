import * as v from 'valibot';
import type { FlashMode, ImageKind, SignatureFormat } from './artifact.ts';
import { type DeviceFacts, deviceFactsSchema, productField } from './device-facts.ts';
import { flashMode, type Same, sha256, sizeBytes } from './fields.ts';

/** Form of an artifact. `raw`: not compressed. `signed`: with a signature of any format. */
export type ArtifactForm = 'raw' | 'raw signed' | 'raw legacy-signed' | 'gzip' | 'unsigned gzip';

/** Artifact of a form, and how it fits the device. */
export interface FormFix {
  form: ArtifactForm;
  /** Free space that is left beside the artifact. */
  spareBytes?: number | undefined;
  /** Earliest core that accepts the artifact. Set if the core of the device is unknown. */
  ifCore?: string | undefined;
}

export interface SendFix extends FormFix {
  action: 'send';
  artifact?: string | undefined;
}

export interface AddFix extends FormFix {
  action: 'add';
}

/** Metadata that a device with the guard accepts: product as 16 hex digits, and the lowest security version. */
export interface MetadataWish {
  product: string;
  securityVersion: number;
}

/** Properties of the image to build. Without any property, the same image is built again. */
export interface BuildChanges {
  /** Earliest core. */
  core?: string | undefined;
  flashMode?: FlashMode | undefined;
  flashSizeBytes?: number | undefined;
  fsStart?: number | undefined;
  fsEnd?: number | undefined;
  partitionBytes?: number | undefined;
  mostBytes?: number | undefined;
  project?: string | undefined;
  board?: string | undefined;
}

export interface BuildFix extends BuildChanges {
  action: 'build';
}

/**
 * Fix for a finding of a preflight rule, as data. If a finding has several fixes, each of them removes the finding.
 *
 * - send: send this artifact of the build. The artifact is absent until the fix is resolved for a device.
 * - unblock: fix the findings for this artifact, then send it
 * - add: pack the image again, with an artifact of this form
 * - pack: pack the image again; `mostBytes` is its size without erased blocks, `metadata` is what its metadata must contain
 * - append-first: append the data to the image before the image is compressed
 * - sign: sign the artifact with this key or in this format
 * - build: build an image with these properties
 * - embed-key: build the sketch with this public key, or with any RSA key
 * - prove: prove that the sketch verifies updates, with a new build or with the ELF file
 * - update-first: first send a sketch with these properties
 * - specify: specify facts about the device
 * - transport: use one of these transports
 * - send-as: send the update as this kind
 * - allow: allow the rule, if its consequence is acceptable
 * - fix-rule: fix the finding of this rule
 * - serial: no fix over the air
 */
export type PreflightFix =
  | SendFix
  | { action: 'unblock'; artifact: string }
  | AddFix
  | { action: 'pack'; mostBytes?: number | undefined; metadata?: MetadataWish | undefined }
  | { action: 'append-first' }
  | { action: 'sign'; keyFingerprint?: string | undefined; format?: SignatureFormat | undefined }
  | BuildFix
  | { action: 'embed-key'; keyFingerprint?: string | undefined }
  | { action: 'prove'; by: 'build' | 'elf' }
  | {
      action: 'update-first';
      /** Earliest core of the sketch. */
      core?: string | undefined;
      /** True if the sketch must be built with ATOMIC_FS_UPDATE. */
      atomicFs?: true | undefined;
      mostBytes?: number | undefined;
    }
  | { action: 'specify'; facts: (keyof DeviceFacts)[]; options: string[] }
  | { action: 'transport'; transports: ('espota' | 'web' | 'http')[]; options: string[] }
  | { action: 'send-as'; kind: ImageKind; options: string[] }
  | { action: 'allow'; rule: string; options: string[] }
  | { action: 'fix-rule'; rule: string }
  | { action: 'serial' };

const formEntries = {
  form: v.picklist(['raw', 'raw signed', 'raw legacy-signed', 'gzip', 'unsigned gzip']),
  spareBytes: v.optional(sizeBytes),
  ifCore: v.optional(v.string()),
};
const mostBytes = v.optional(sizeBytes);
const options = v.array(v.string());

/** @internal */
export const preflightFixSchema = v.variant('action', [
  v.strictObject({ action: v.literal('send'), artifact: v.optional(v.string()), ...formEntries }),
  v.strictObject({ action: v.literal('unblock'), artifact: v.string() }),
  v.strictObject({ action: v.literal('add'), ...formEntries }),
  v.strictObject({
    action: v.literal('pack'),
    mostBytes,
    metadata: v.optional(v.strictObject({ product: productField, securityVersion: v.number() })),
  }),
  v.strictObject({ action: v.literal('append-first') }),
  v.strictObject({
    action: v.literal('sign'),
    keyFingerprint: v.optional(sha256),
    format: v.optional(v.picklist(['current', 'legacy'])),
  }),
  v.strictObject({
    action: v.literal('build'),
    core: v.optional(v.string()),
    flashMode: v.optional(flashMode),
    flashSizeBytes: v.optional(sizeBytes),
    fsStart: v.optional(sizeBytes),
    fsEnd: v.optional(sizeBytes),
    partitionBytes: v.optional(sizeBytes),
    mostBytes,
    project: v.optional(v.string()),
    board: v.optional(v.string()),
  }),
  v.strictObject({ action: v.literal('embed-key'), keyFingerprint: v.optional(sha256) }),
  v.strictObject({ action: v.literal('prove'), by: v.picklist(['build', 'elf']) }),
  v.strictObject({
    action: v.literal('update-first'),
    core: v.optional(v.string()),
    atomicFs: v.optional(v.literal(true)),
    mostBytes,
  }),
  v.strictObject({ action: v.literal('specify'), facts: v.array(v.keyof(deviceFactsSchema)), options }),
  v.strictObject({
    action: v.literal('transport'),
    transports: v.array(v.picklist(['espota', 'web', 'http'])),
    options,
  }),
  v.strictObject({ action: v.literal('send-as'), kind: v.picklist(['sketch', 'filesystem']), options }),
  v.strictObject({ action: v.literal('allow'), rule: v.string(), options }),
  v.strictObject({ action: v.literal('fix-rule'), rule: v.string() }),
  v.strictObject({ action: v.literal('serial') }),
]);

true satisfies Same<PreflightFix, v.InferOutput<typeof preflightFixSchema>>;
