import * as v from 'valibot';
import { type DeepReadonly, sha256, sizeBytes } from '../core/model/fields.ts';

/** Finding from a preflight rule. */
/**
 * Statuses of an image.
 *
 * - current: a channel serves the image
 * - draft: no channel has served the image yet
 * - replaced: no channel serves the image any longer
 * - yanked: the image was yanked
 * - reference: the image is a reference build
 */
export const imageStatuses = ['current', 'draft', 'replaced', 'yanked', 'reference'] as const;
export type ImageStatus = (typeof imageStatuses)[number];

export const releaseFindingSchema = v.strictObject({ rule: v.string(), message: v.string(), fix: v.string() });
export type ReleaseFinding = DeepReadonly<v.InferOutput<typeof releaseFindingSchema>>;

/** Published image of a release, identified by project, version, kind and board. The bytes of an image never change. */
export const releaseImageSchema = v.strictObject({
  project: v.string(),
  version: v.string(),
  kind: v.picklist(['sketch', 'filesystem']),
  board: v.optional(v.string()),
  purpose: v.picklist(['serve', 'reference']),
  /** Channels that serve this image now. */
  channels: v.array(v.string()),
  publishedAt: v.pipe(v.string(), v.isoTimestamp()),
  yanked: v.optional(v.string()),
  image: v.strictObject({ sizeBytes, sha256, core: v.optional(v.string()) }),
  enforcement: v.picklist(['elf', 'declared', 'unproven']),
  keyFingerprint: v.optional(sha256),
  artifacts: v.array(
    v.strictObject({ file: v.string(), encoding: v.string(), signature: v.string(), sizeBytes, sha256 }),
  ),
  /** Preflight rules that the project of the build allows, with the reasons. Absent if there are none. */
  allowedRules: v.optional(v.array(v.strictObject({ rule: v.string(), reason: v.string() }))),
});
export type ReleaseImageInfo = DeepReadonly<v.InferOutput<typeof releaseImageSchema>>;

/** Release: the images of one version. */
export const releaseInfoSchema = v.strictObject({
  project: v.string(),
  version: v.string(),
  /** Release notes in Markdown. */
  notes: v.optional(v.string()),
  /** Images, sorted by board; reference builds are last. A response to a change contains only the images that the change applies to. */
  images: v.array(releaseImageSchema),
});
export type ReleaseInfo = DeepReadonly<v.InferOutput<typeof releaseInfoSchema>>;

/**
 * Result of publishing an image. published: the release is new. promoted: the release already existed and is now the channel's current release.
 * unchanged: the release already existed and no channel changed. If a channel has served a release before, publishing the release again
 * does not promote it. Otherwise, publishing an old build could roll back a fleet. To promote such a release, use PUT on the channel.
 */
export const releaseResponseSchema = v.strictObject({
  outcome: v.picklist(['published', 'promoted', 'unchanged']),
  release: releaseImageSchema,
  /** Preflight findings that do not block the release. */
  warnings: v.array(releaseFindingSchema),
});
export type ReleaseResponse = DeepReadonly<v.InferOutput<typeof releaseResponseSchema>>;
