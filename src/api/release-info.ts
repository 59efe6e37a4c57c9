import * as v from 'valibot';
import { type DeepReadonly, sha256, sizeBytes } from '../core/model/fields.ts';

/** A rule of preflight speaks. */
export const complaintSchema = v.strictObject({ rule: v.string(), message: v.string(), instead: v.string() });
export type ReleaseComplaint = DeepReadonly<v.InferOutput<typeof complaintSchema>>;

/** A project, a version, a kind and a board name one release; its bytes never change. */
export const releaseInfoSchema = v.strictObject({
  project: v.string(),
  version: v.string(),
  kind: v.picklist(['sketch', 'filesystem']),
  board: v.optional(v.string()),
  purpose: v.picklist(['serve', 'reference']),
  /** That offer it now. */
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
 * published: new. promoted: it was there, and is offered on this channel from now on. unchanged: all of it was there. To publish again
 * what a channel has offered before does not bring it back (a build that is repeated must not roll a fleet back): PUT the channel.
 */
export interface ReleaseAnswer {
  readonly outcome: 'published' | 'promoted' | 'unchanged';
  readonly release: ReleaseInfo;
  /** What the rules have to say, though they do not refuse it. */
  readonly warnings: readonly ReleaseComplaint[];
}
