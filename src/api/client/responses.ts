import * as v from 'valibot';
import { sha256 } from '../../core/model/fields.ts';

/** Fields of server responses that the client reads. All other fields are ignored. */
const releaseFinding = v.object({ rule: v.string(), message: v.string(), fix: v.string() });
const offset = v.pipe(v.number(), v.integer(), v.minValue(0));

export const releaseResponse = v.object({
  outcome: v.picklist(['published', 'promoted', 'unchanged']),
  release: v.object({ channels: v.array(v.string()) }),
  warnings: v.array(releaseFinding),
});

export const channelResponse = v.object({ devices: offset, mayPromote: v.boolean() });

export const uploadState = v.object({ offset, complete: v.boolean() });

export const apiProblem = v.object({
  error: v.object({
    code: v.string(),
    message: v.string(),
    hint: v.string(),
    missing: v.optional(v.array(v.object({ file: v.string(), sha256, sizeBytes: offset }))),
    offset: v.optional(offset),
    blockedBy: v.optional(v.array(releaseFinding)),
    problems: v.optional(v.array(v.string())),
  }),
});
export type Problem = v.InferOutput<typeof apiProblem>['error'];
