import * as v from 'valibot';
import type { DeepReadonly } from '../core/model/fields.ts';
import { gateSchema, haltSchema, rolloutStates, stageSchema } from './rollout.ts';

/** Responses of the server about rollouts. */

const time = v.pipe(v.string(), v.isoTimestamp());
const state = v.picklist(rolloutStates);

/** Enrolled devices in a rollout, counted by progress. */
const tallySchema = v.strictObject({
  members: v.number(),
  /** Devices that have not been sent the release. */
  pending: v.number(),
  /** Devices that preflight blocks: they never receive the release, and gates do not wait for them. */
  blocked: v.number(),
  updating: v.number(),
  running: v.number(),
  failed: v.number(),
  /** Failed devices that have sent no request since the download started. */
  notConfirmed: v.number(),
});
export type RolloutTally = DeepReadonly<v.InferOutput<typeof tallySchema>>;

export const rolloutInfoSchema = v.strictObject({
  id: v.number(),
  project: v.string(),
  channel: v.string(),
  version: v.string(),
  /** Previous release of the channel. */
  previous: v.optional(v.string()),
  state,
  /** Reason for the state, as given by a user or by a halt rule. */
  reason: v.optional(v.string()),
  /** Number of open stages, counted from the first. */
  openStages: v.number(),
  /** Text that explains what the next stage waits for; absent if the rollout waits for nothing. */
  waitingFor: v.optional(v.string()),
  stages: v.array(v.strictObject({ ...stageSchema.entries, tally: tallySchema })),
  tally: tallySchema,
  gate: gateSchema,
  halt: haltSchema,
  startedAt: time,
  startedBy: v.string(),
  endedAt: v.optional(time),
  /** Events of the rollout, oldest first. */
  history: v.array(v.strictObject({ at: time, event: v.string(), by: v.string(), reason: v.optional(v.string()) })),
  /** Progress of the enrolled devices over time, oldest first. */
  samples: v.array(
    v.strictObject({
      at: time,
      updating: v.number(),
      running: v.number(),
      failed: v.number(),
      openStages: v.number(),
    }),
  ),
});
export type RolloutInfo = DeepReadonly<v.InferOutput<typeof rolloutInfoSchema>>;

/** State of a device in the newest rollout of its channel. */
export const deviceRolloutSchema = v.strictObject({
  rollout: v.number(),
  version: v.string(),
  state,
  /** Stage of the device, from 1. */
  stage: v.number(),
  stages: v.number(),
  /** Whether the rollout is active and the stage of the device is open. */
  isOpen: v.boolean(),
  /** Whether gates and halt rules count the device; only enrolled devices count. */
  counts: v.boolean(),
  progress: v.picklist(['pending', 'blocked', 'updating', 'running', 'failed']),
  failure: v.optional(v.string()),
});
export type DeviceRolloutInfo = DeepReadonly<v.InferOutput<typeof deviceRolloutSchema>>;
