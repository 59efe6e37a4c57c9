import * as v from 'valibot';
import type { DeepReadonly } from '../core/model/fields.ts';
import { gateSchema, haltSchema, rolloutStates, stageSchema, windowSchema } from './rollout.ts';

/** Types of server responses about rollouts. */

const time = v.pipe(v.string(), v.isoTimestamp());
const state = v.picklist(rolloutStates);

/**
 * Progress of a device in a rollout.
 *
 * - pending: the device has not been sent the release yet
 * - updating: a download of the release started
 * - running: the device counts as updated
 * - undelivered: the device runs the release, although this server did not send it
 * - failed: the device was sent the release, but does not run it
 * - blocked: the device cannot take the release: preflight found it unsafe, or the rollout has no image for the board
 */
export const memberStatuses = ['pending', 'updating', 'running', 'undelivered', 'failed', 'blocked'] as const;
export type MemberStatus = (typeof memberStatuses)[number];

/**
 * Selections of a rollout's devices by progress or by their reports.
 *
 * - not-confirmed: failed devices that have sent no request since the download started
 * - unproven: devices whose result was reported without credentials
 * - with-credentials: devices whose requests are rejected without their own credentials
 * - without-credentials: the other devices
 */
export const reportSelections = [
  ...memberStatuses,
  'not-confirmed',
  'unproven',
  'with-credentials',
  'without-credentials',
] as const;

/** Selections of a rollout's devices, including `waiting` for the devices in the open stages that do not count as updated. */
export const memberSelections = [...reportSelections, 'waiting'] as const;
export type MemberSelectionName = (typeof memberSelections)[number];

/** Words for the progress of a device in commands and on the dashboard. */
export const memberStatusWords: Readonly<Record<MemberStatus, string>> = {
  pending: 'pending',
  updating: 'updating',
  running: 'updated',
  undelivered: 'running it, not downloaded here',
  failed: 'failed',
  blocked: 'cannot take it',
};

/** Words for the selections of a rollout's devices. */
export const selectionWords: Readonly<Record<MemberSelectionName, string>> = {
  ...memberStatusWords,
  'not-confirmed': 'failed, not confirmed',
  unproven: 'reported without credentials',
  'with-credentials': 'with credentials',
  'without-credentials': 'without credentials',
  waiting: 'open stages, not updated',
};

/** Numbers of enrolled devices in a rollout, by progress. */
const tallySchema = v.strictObject({
  members: v.number(),
  /** Number of devices that have not been sent the release yet. */
  pending: v.number(),
  /**
   * Number of devices that cannot take the release: preflight blocks it, or the rollout has no image for the board. The release is not sent
   * to these devices, and gates do not wait for them.
   */
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
  /** Present if no device has been updated for longer than the project's `stalledAfterMs` and the gate's soak time. */
  stalled: v.optional(v.strictObject({ since: time, cause: v.string() })),
  stages: v.array(v.strictObject({ ...stageSchema.entries, tally: tallySchema })),
  tally: tallySchema,
  /**
   * Time from which the tallies are final: later changes to the devices do not change them. Absent while the rollout is in progress, and if
   * the numbers were not stored when it ended.
   */
  finalAt: v.optional(time),
  /**
   * True if the devices behind the numbers can be listed. False for a rollout that ended before its devices were stored, or longer ago than
   * the project keeps attempts.
   */
  hasDeviceLists: v.boolean(),
  /** Sources of the reports without credentials; absent if there are none. */
  unproven: v.optional(
    v.strictObject({
      devices: v.number(),
      addresses: v.number(),
      /** Addresses with the most devices. Empty in lists, because lists are passed on, and if the rollout has ended. */
      most: v.array(v.strictObject({ address: v.string(), devices: v.number() })),
    }),
  ),
  /** True if the project requires a password from all of its devices. */
  projectPassword: v.boolean(),
  gate: gateSchema,
  halt: haltSchema,
  window: v.optional(windowSchema),
  /** True if the rollout has no window, or its window is open now. */
  isWindowOpen: v.boolean(),
  perHour: v.optional(v.number()),
  startedAt: time,
  startedBy: v.string(),
  /** Name of the token that `startedBy` identifies; absent if it has none or was revoked. */
  startedByName: v.optional(v.string()),
  endedAt: v.optional(time),
  /** Rollout events, oldest first. */
  history: v.array(
    v.strictObject({
      at: time,
      event: v.string(),
      by: v.string(),
      /** Name of the token that `by` identifies, as `startedByName`. */
      byName: v.optional(v.string()),
      reason: v.optional(v.string()),
    }),
  ),
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
  progress: v.picklist(memberStatuses),
  failure: v.optional(v.string()),
});
export type DeviceRolloutInfo = DeepReadonly<v.InferOutput<typeof deviceRolloutSchema>>;

/** Devices of a rollout, ordered by MAC. If the rollout has ended, the devices as they were at `finalAt`. */
export const rolloutDevicesSchema = v.strictObject({
  rollout: v.number(),
  /** Number of devices that the query selects, on all pages. */
  total: v.number(),
  devices: v.array(
    v.strictObject({
      mac: v.string(),
      name: v.optional(v.string()),
      /** Number of the device's stage. The first stage is 1. */
      stage: v.number(),
      status: v.picklist(memberStatuses),
      /** Why the device has this status. */
      reason: v.string(),
      /** Fix for the reason. */
      fix: v.optional(v.string()),
      /** Absent if the device has sent no request, or has been removed. */
      firstSeenAt: v.optional(time),
      /** Exact to a minute. Absent if the device has sent no request, or if the server has removed the time of an old one. */
      lastSeenAt: v.optional(time),
    }),
  ),
  /** MAC after which the next page starts. */
  next: v.optional(v.string()),
});
export type RolloutDevices = DeepReadonly<v.InferOutput<typeof rolloutDevicesSchema>>;
