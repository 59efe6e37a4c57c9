import * as v from 'valibot';
import type { FlashMode, ImageKind, SignatureFormat } from './artifact.ts';
import { nearestRelease, readCoreName } from './core-name.ts';
import { flashMode, type Same, sha256 } from './fields.ts';

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));
const sectorBytes = 4096;
const largestFlashBytes = 16 * 1024 * 1024;

const flashBytes = v.pipe(
  v.number('must be a number of bytes'),
  v.integer('must be an integer number of bytes'),
  v.minValue(1, 'must be at least 1'),
  v.maxValue(largestFlashBytes, 'must be at most 16777216, the largest flash of an ESP8266'),
);
/** Flash offset of a sector boundary. */
const sectorBorder = v.pipe(
  flashBytes,
  v.multipleOf(sectorBytes, 'must be a multiple of 4096, the size of a flash sector'),
);

/** What the guard of a sketch requires of the next update. */
export interface GuardFacts {
  /** Fingerprints of the keys that may sign the update. */
  keys: string[];
  /** Product as 16 hex digits. */
  product: string;
  /** Lowest security version that the device accepts. */
  securityVersion: number;
  /** `signature`: an update without metadata passes. `metadata`: the device rejects an update without metadata. */
  require: 'signature' | 'metadata';
}

/**
 * Product in metadata and in the guard of a sketch.
 *
 * @internal
 */
export const productField = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, 'must be 16 lower-case hex digits'));

/** @internal */
export const guardFactsSchema = v.strictObject({
  keys: v.array(sha256),
  product: productField,
  securityVersion: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff)),
  require: v.picklist(['signature', 'metadata'], 'must be signature or metadata'),
});

true satisfies Same<GuardFacts, v.InferOutput<typeof guardFactsSchema>>;

/**
 * Known facts about a device. Every key is optional. An absent fact is unknown and has no default: few updates are safe for a device
 * without known facts.
 */
export interface DeviceFacts {
  /** Core with which the running sketch was built, such as `3.1.2`, `v3.1.2` or `2.7.4.9`; see `readCoreName`. */
  core?: string | undefined;
  /** True if the device verifies signatures. */
  signing?: 'none' | 'required' | undefined;
  /** Fingerprint of the key that the device verifies updates with: SHA-256 of the DER SubjectPublicKeyInfo, 64 lower-case hex digits. */
  keyFingerprint?: string | undefined;
  /** Checks of a device with the guard, from the image that it runs. Absent if the device has no guard or this is unknown. */
  guard?: GuardFacts | undefined;
  /** Signature format that the device expects. Defaults to the format of the device's core. */
  format?: SignatureFormat | undefined;
  /** Flash mode from byte 2 of the header in flash. */
  flashMode?: FlashMode | undefined;
  /** Size of the flash chip on the board. */
  chipSizeBytes?: number | undefined;
  /** Start of the filesystem as a flash offset (`_FS_start` minus 0x40200000), a multiple of 4096. */
  fsStart?: number | undefined;
  /** End of the filesystem as a flash offset (`_FS_end` minus 0x40200000), a multiple of 4096. Equal to `fsStart` without a filesystem. */
  fsEnd?: number | undefined;
  /** Size of the running sketch (`ESP.getSketchSize()`). */
  sketchSizeBytes?: number | undefined;
  /** Transport of the update. */
  transport?: 'espota' | 'web' | 'http' | undefined;
  /**
   * True if the running sketch was built for the layout "mapping defined by hardware and sketch" (FLASH_MAP_SUPPORT), so the device compares no
   * flash sizes.
   */
  flashMap?: boolean | undefined;
  /** True if the running sketch was built with ATOMIC_FS_UPDATE. */
  atomicFs?: boolean | undefined;
  /** Kind of image that the device expects the update to be. */
  kind?: ImageKind | undefined;
  project?: string | undefined;
  board?: string | undefined;
}

const core = v.pipe(
  text,
  v.check(
    (name) => readCoreName(name) !== undefined,
    ({ input }) => `is not a core release; the nearest release is ${nearestRelease(input)}`,
  ),
);

/** @internal */
export const deviceFactsSchema = v.strictObject({
  core: v.optional(core),
  signing: v.optional(v.picklist(['none', 'required'], 'must be none or required')),
  keyFingerprint: v.optional(sha256),
  guard: v.optional(guardFactsSchema),
  format: v.optional(v.picklist(['current', 'legacy'], 'must be current or legacy')),
  flashMode: v.optional(flashMode),
  chipSizeBytes: v.optional(flashBytes),
  fsStart: v.optional(sectorBorder),
  fsEnd: v.optional(sectorBorder),
  sketchSizeBytes: v.optional(flashBytes),
  transport: v.optional(v.picklist(['espota', 'web', 'http'], 'must be espota, web or http')),
  flashMap: v.optional(v.boolean()),
  atomicFs: v.optional(v.boolean()),
  kind: v.optional(v.picklist(['sketch', 'filesystem'], 'must be sketch or filesystem')),
  project: v.optional(text),
  board: v.optional(text),
});

true satisfies Same<DeviceFacts, v.InferOutput<typeof deviceFactsSchema>>;

/**
 * Reads device facts from a JSON value.
 *
 * @returns the facts, or a list of all problems
 */
export function readDeviceFacts(json: unknown): { facts: DeviceFacts } | { problems: readonly string[] } {
  if (Array.isArray(json)) return { problems: ['the document must be an object'] };
  const result = v.safeParse(deviceFactsSchema, json);
  if (!result.success) return { problems: result.issues.map(describe) };
  const { fsStart, fsEnd } = result.output;
  if (fsStart !== undefined && fsEnd !== undefined && fsEnd < fsStart) {
    return { problems: [`fsEnd (${fsEnd}) is before fsStart (${fsStart})`] };
  }
  return { facts: result.output };
}

function describe(issue: v.InferIssue<typeof deviceFactsSchema>): string {
  const place = v.getDotPath(issue) ?? 'the document';
  if (issue.type === 'strict_object') {
    return issue.expected === 'never' ? `${place} is not a known key` : `${place} must be an object`;
  }
  return `${place} ${issue.message.replace(/^Invalid type: Expected (.*) but received (.*)$/, 'must be $1, but is $2')}`;
}
