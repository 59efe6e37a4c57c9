import * as v from 'valibot';
import type { DeepReadonly } from '../core/model/fields.ts';
import { gateSchema, haltSchema, rolloutStates, stageSchema } from './rollout.ts';

/** Server responses about rollouts. */

const time = v.pipe(v.string(), v.isoTimestamp());
const state = v.picklist(rolloutStates);

/** Enrolled devices in a rollout, counted by progress. */
const tallySchema = v.strictObject({
  members: v.number(),
  /** Devices that have not been sent the release yet. */
  pending: v.number(),
  /** Devices blocked by preflight: they are never sent the release, and gates do not wait for them. */
  blocked: v.number(),
  updating: v.number(),
  running: v.number(),
  failed: v.number(),
  /** Failed devices that have sent no request since the download started. */
  notConfirmed: v.number(),
  /**
   * Devices that run the release, although this server did not send it to them, for example because it was flashed over USB. Gates do not
   * wait for them: anyone could have reported it.
   */
  undelivered: v.number(),
  /** Updated devices whose reports contained no credentials. */
  unproven: v.number(),
  /** Failed devices that downloaded the release without credentials. */
  unprovenFailed: v.number(),
  unprovenNotConfirmed: v.number(),
  /** Devices whose requests are rejected without their own credentials. */
  withCredentials: v.number(),
});
export type RolloutTally = DeepReadonly<v.InferOutput<typeof tallySchema>>;

export type UnprovenReports = NonNullable<RolloutInfo['unproven']>;

export const rolloutInfoSchema = v.strictObject({
  id: v.number(),
  project: v.string(),
  channel: v.string(),
  version: v.string(),
  /** The channel's previous release. */
  previous: v.optional(v.string()),
  state,
  /** Reason for the state, given by a user or a halt rule. */
  reason: v.optional(v.string()),
  /** Number of open stages. */
  openStages: v.number(),
  /** Explains what the next stage is waiting for; absent if there is nothing to wait for. */
  waitingFor: v.optional(v.string()),
  stages: v.array(v.strictObject({ ...stageSchema.entries, tally: tallySchema })),
  tally: tallySchema,
  /** Sources of the reports without credentials; absent if there are none or the rollout is no longer the newest on its channel. */
  unproven: v.optional(
    v.strictObject({
      devices: v.number(),
      addresses: v.number(),
      /** Addresses with the most devices. */
      most: v.array(v.strictObject({ address: v.string(), devices: v.number() })),
    }),
  ),
  /** Whether the project requires a password from all of its devices. */
  projectPassword: v.boolean(),
  gate: gateSchema,
  halt: haltSchema,
  startedAt: time,
  startedBy: v.string(),
  endedAt: v.optional(time),
  /** Rollout events, oldest first. */
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

/** State of a device in its channel's newest rollout. */
export const deviceRolloutSchema = v.strictObject({
  rollout: v.number(),
  version: v.string(),
  state,
  /** The device's stage, counted from 1. */
  stage: v.number(),
  stages: v.number(),
  /** Whether the rollout is active and the device's stage is open. */
  isOpen: v.boolean(),
  /** Whether gates and halt rules count the device; they count only enrolled devices. */
  counts: v.boolean(),
  progress: v.picklist(['pending', 'blocked', 'updating', 'running', 'undelivered', 'failed']),
  failure: v.optional(v.string()),
});
export type DeviceRolloutInfo = DeepReadonly<v.InferOutput<typeof deviceRolloutSchema>>;
