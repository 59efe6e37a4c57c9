import * as v from 'valibot';
import { type DeepReadonly, sha256, sizeBytes } from '../core/model/fields.ts';

/** Finding of a preflight rule. */
export const releaseFindingSchema = v.strictObject({ rule: v.string(), message: v.string(), fix: v.string() });
export type ReleaseFinding = DeepReadonly<v.InferOutput<typeof releaseFindingSchema>>;

/** Published release, identified by project, version, kind and board; its bytes never change. */
export const releaseInfoSchema = v.strictObject({
  project: v.string(),
  version: v.string(),
  kind: v.picklist(['sketch', 'filesystem']),
  board: v.optional(v.string()),
  purpose: v.picklist(['serve', 'reference']),
  /** Channels whose current release it is. */
  channels: v.array(v.string()),
  publishedAt: v.pipe(v.string(), v.isoTimestamp()),
  yanked: v.optional(v.string()),
  image: v.strictObject({ sizeBytes, sha256, core: v.optional(v.string()) }),
  enforcement: v.picklist(['elf', 'declared', 'unproven']),
  keyFingerprint: v.optional(sha256),
  artifacts: v.array(
    v.strictObject({ file: v.string(), encoding: v.string(), signature: v.string(), sizeBytes, sha256 }),
  ),
});
export type ReleaseInfo = DeepReadonly<v.InferOutput<typeof releaseInfoSchema>>;

/**
 * Result of publishing. published: the release is new. promoted: it existed, and becomes the current release of the channel. unchanged: it
 * existed, and no channel changed. Publishing a release that the channel has served before does not promote it again, so that a repeated
 * build cannot roll back a fleet; use PUT on the channel instead.
 */
export interface ReleaseAnswer {
  readonly outcome: 'published' | 'promoted' | 'unchanged';
  readonly release: ReleaseInfo;
  /** Preflight findings that do not block the release. */
  readonly warnings: readonly ReleaseFinding[];
}
