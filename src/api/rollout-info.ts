import * as v from 'valibot';
import type { DeepReadonly } from '../core/model/fields.ts';
import { gateSchema, haltSchema, rolloutStates, stageSchema } from './rollout.ts';

/** What a server says of its rollouts. */

const time = v.pipe(v.string(), v.isoTimestamp());
const state = v.picklist(rolloutStates);

/** Enrolled devices that a rollout is for, by how far they have come. */
const tallySchema = v.strictObject({
  members: v.number(),
  /** Not sent yet. */
  waiting: v.number(),
  /** Preflight finds it unsafe for them: they never get it, and are not waited for. */
  refused: v.number(),
  sent: v.number(),
  running: v.number(),
  failed: v.number(),
  /** Of the failed: took all of it and were not heard of again. */
  vanished: v.number(),
});
export type RolloutTally = DeepReadonly<v.InferOutput<typeof tallySchema>>;

export const rolloutInfoSchema = v.strictObject({
  id: v.number(),
  project: v.string(),
  channel: v.string(),
  version: v.string(),
  /** What the channel offered before. */
  former: v.optional(v.string()),
  state,
  /** Why it is in that state, where somebody or a rule said so. */
  reason: v.optional(v.string()),
  /** How many of the stages are open; the first ones. */
  openStages: v.number(),
  /** Why the next stage is not open yet, for people; absent where there is none. */
  waitingFor: v.optional(v.string()),
  stages: v.array(v.strictObject({ ...stageSchema.entries, tally: tallySchema })),
  tally: tallySchema,
  gate: gateSchema,
  halt: haltSchema,
  startedAt: time,
  startedBy: v.string(),
  endedAt: v.optional(time),
  /** What was done with it, the oldest first. */
  history: v.array(v.strictObject({ at: time, event: v.string(), by: v.string(), reason: v.optional(v.string()) })),
  /** How it went on, the oldest first: enrolled devices by how far they had come. */
  samples: v.array(
    v.strictObject({
      at: time,
      sent: v.number(),
      running: v.number(),
      failed: v.number(),
      openStages: v.number(),
    }),
  ),
});
export type RolloutInfo = DeepReadonly<v.InferOutput<typeof rolloutInfoSchema>>;

/** Where a device stands in the newest rollout of its channel. */
export const rolloutStandingSchema = v.strictObject({
  rollout: v.number(),
  version: v.string(),
  state,
  /** From 1. */
  stage: v.number(),
  stages: v.number(),
  /** It gets the release now. */
  isOpen: v.boolean(),
  /** Whether the gates wait for it and the halt rules hear of it: it is enrolled. */
  counts: v.boolean(),
  progress: v.picklist(['waiting', 'refused', 'sent', 'running', 'failed']),
  failure: v.optional(v.string()),
});
export type RolloutStanding = DeepReadonly<v.InferOutput<typeof rolloutStandingSchema>>;
