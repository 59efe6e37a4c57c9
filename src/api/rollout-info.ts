import * as v from 'valibot';
import type { DeepReadonly } from '../core/model/fields.ts';
import { gateSchema, haltSchema, rolloutStates, stageSchema } from './rollout.ts';

/** Types of server responses about rollouts. */

const time = v.pipe(v.string(), v.isoTimestamp());
const state = v.picklist(rolloutStates);

/** Numbers of enrolled devices in a rollout, by progress. */
const tallySchema = v.strictObject({
  members: v.number(),
  /** Number of devices that have not been sent the release yet. */
  pending: v.number(),
  /** Number of devices blocked by preflight. The release is never sent to these devices, and gates do not wait for them. */
  blocked: v.number(),
  updating: v.number(),
  running: v.number(),
  failed: v.number(),
  /** Number of failed devices that have sent no request since the download started. */
  notConfirmed: v.number(),
  /**
   * Devices that run the release, although this server did not send it, for example after flashing over USB. Gates do not wait for these
   * devices, because their reports may be forged.
   */
  undelivered: v.number(),
  /** Updated devices whose reports contained no credentials. */
  unproven: v.number(),
  /** Failed devices that downloaded the release without credentials. */
  unprovenFailed: v.number(),
  unprovenNotConfirmed: v.number(),
  /** Blocked devices whose reports contained no credentials. */
  unprovenBlocked: v.number(),
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
  /** Reason for the state of the rollout, from a user or a halt rule. */
  reason: v.optional(v.string()),
  /** Number of open stages. */
  openStages: v.number(),
  /** Condition that the next stage is waiting for. Absent if the next stage is not waiting. */
  waitingFor: v.optional(v.string()),
  stages: v.array(v.strictObject({ ...stageSchema.entries, tally: tallySchema })),
  tally: tallySchema,
  /**
   * Time from which the tallies are final: later changes to the devices do not change them. Absent while the rollout is in progress, and if
   * the numbers were not stored when it ended.
   */
  finalAt: v.optional(time),
  /** Sources of the reports without credentials; absent if there are none. */
  unproven: v.optional(
    v.strictObject({
      devices: v.number(),
      addresses: v.number(),
      /** Addresses with the most devices. Empty if the rollout has ended. */
      most: v.array(v.strictObject({ address: v.string(), devices: v.number() })),
    }),
  ),
  /** True if the project requires a password from all of its devices. */
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

/** State of a device in the newest rollout of its channel. */
export const deviceRolloutSchema = v.strictObject({
  rollout: v.number(),
  version: v.string(),
  state,
  /** Number of the device's stage. The first stage is 1. */
  stage: v.number(),
  stages: v.number(),
  /** True if the rollout is active and the device's stage is open. */
  isOpen: v.boolean(),
  /** True if gates and halt rules count the device. Only enrolled devices are counted. */
  counts: v.boolean(),
  progress: v.picklist(['pending', 'blocked', 'updating', 'running', 'undelivered', 'failed']),
  failure: v.optional(v.string()),
});
export type DeviceRolloutInfo = DeepReadonly<v.InferOutput<typeof deviceRolloutSchema>>;
