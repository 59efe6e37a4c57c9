import * as v from 'valibot';
import { flashMode, sha256 } from './fields.ts';

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));
const sectorBytes = 4096;
const largestFlashBytes = 16 * 1024 * 1024;

const flashBytes = v.pipe(
  v.number('must be a number of bytes'),
  v.integer('must be a whole number of bytes'),
  v.minValue(1, 'must be at least 1'),
  v.maxValue(largestFlashBytes, 'must be at most 16777216, the largest flash that an ESP8266 can have'),
);
/** An offset from the start of flash, where a sector begins. */
const sectorBorder = v.pipe(
  flashBytes,
  v.multipleOf(sectorBytes, 'must be an offset from the start of flash at which a sector of 4096 bytes begins'),
);

/**
 * What is known of a device. Every key is optional, and an absent one is unknown, which never means "like most devices": what
 * may be sent to a device of which nothing is known is little.
 */
export const deviceFactsSchema = v.strictObject({
  /** The release of the core that its present sketch was built with, such as `3.1.2`. Anything else counts as unknown. */
  core: v.optional(text),
  /** Whether it verifies signatures. */
  signing: v.optional(v.picklist(['none', 'required'], 'must be none or required')),
  /** Of the key that it verifies with: SHA-256 of its DER SubjectPublicKeyInfo. */
  keyFingerprint: v.optional(sha256),
  /** Of signatures; by default what its core says. */
  format: v.optional(v.picklist(['current', 'legacy'], 'must be current or legacy')),
  /** What byte 2 of the header in its flash says. */
  flashMode: v.optional(flashMode),
  /** Of the chip that is soldered on. */
  chipSizeBytes: v.optional(flashBytes),
  /** `_FS_start` and `_FS_end` less 0x40200000. Equal where there is no filesystem. */
  fsStart: v.optional(sectorBorder),
  fsEnd: v.optional(sectorBorder),
  /** What `ESP.getSketchSize()` says. */
  sketchSizeBytes: v.optional(flashBytes),
  /** How the update is going to be sent. */
  transport: v.optional(v.picklist(['espota', 'web', 'http'], 'must be espota, web or http')),
  /** Built with ATOMIC_FS_UPDATE. */
  atomicFs: v.optional(v.boolean()),
  /** What it is going to take the update for. */
  kind: v.optional(v.picklist(['sketch', 'filesystem'], 'must be sketch or filesystem')),
  project: v.optional(text),
  board: v.optional(text),
});

export type DeviceFacts = v.InferOutput<typeof deviceFactsSchema>;

/**
 * Reads the facts in a JSON value.
 *
 * @returns the facts, or everything that is wrong with them
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
