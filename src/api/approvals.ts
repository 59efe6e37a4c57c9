import * as v from 'valibot';
import type { DeepReadonly } from '../core/model/fields.ts';
import { channelRequestSchema, resourceName } from './release.ts';
import { rolloutRequestSchema } from './rollout.ts';

/** Whether a second person must approve the start of rollouts and promotions in a project. */
export const approvalModes = ['none', 'second-person'] as const;
export type ApprovalMode = (typeof approvalModes)[number];

/** Promotion that a second person shall approve. */
export const promotionApprovalSchema = v.strictObject({
  channel: resourceName,
  ...channelRequestSchema.entries,
});

/** Change that waits for the approval of a second person. */
export const approvalInfoSchema = v.strictObject({
  id: v.string(),
  change: v.picklist(['rollout', 'promotion']),
  version: v.string(),
  channel: v.string(),
  requestedAt: v.pipe(v.string(), v.isoTimestamp()),
  /** Token ID, or `person:` and the name of the person. This token or person may not approve the change. */
  requestedBy: v.string(),
  requestedByName: v.optional(v.string()),
  /** Settings of the rollout. Absent for a promotion. */
  rollout: v.optional(v.omit(rolloutRequestSchema, ['version', 'channel'])),
  /** Images that the promotion selects. Absent for a rollout, and for a promotion of all images. */
  parts: channelRequestSchema.entries.parts,
  allow: channelRequestSchema.entries.allow,
});
export type ApprovalInfo = DeepReadonly<v.InferOutput<typeof approvalInfoSchema>>;

/** Result of a decision. */
export const approvalResultSchema = v.strictObject({
  /** ID of the request. */
  id: v.string(),
  decision: v.picklist(['approved', 'declined']),
  /** ID of the rollout that was started. */
  rollout: v.optional(v.number()),
});
