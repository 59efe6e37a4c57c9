import * as v from 'valibot';
import type { DeepReadonly } from '../core/model/fields.ts';
import { firmwareVersion, resourceName } from './release.ts';

/**
 * What `ota-hooks server rollout` and the server say to each other, below `/api/v1`:
 *
 *     GET    /projects/{project}/rollouts              read     { rollouts: RolloutInfo[] }, the newest first
 *     POST   /projects/{project}/rollouts              publish  RolloutRequest; answers RolloutInfo, 201
 *     GET    /projects/{project}/rollouts/{id}         read     RolloutInfo
 *     POST   /projects/{project}/rollouts/{id}/{action}  publish  RolloutActionRequest; answers RolloutInfo
 */

const percent = v.pipe(
  v.number('must be a number'),
  v.minValue(0, 'must be 0 or more'),
  v.maxValue(100, 'must be 100 or less'),
);
const wholeNumber = v.pipe(
  v.number('must be a number'),
  v.integer('must be whole'),
  v.minValue(1, 'must be 1 or more'),
);
const names = v.pipe(v.array(v.pipe(v.string(), v.nonEmpty(), v.maxLength(64))), v.maxLength(1000));

/** Devices that get the release together: by name, by group, and by share of all. Who is in an earlier stage stays in it. */
export const stageSchema = v.strictObject({
  /** Of the enrolled devices, in percent; a stage holds those of the stages before it. */
  share: v.optional(percent, 0),
  /** Names or MACs of enrolled devices. */
  canaries: v.optional(names, []),
  /** Groups of enrolled devices. */
  groups: v.optional(v.pipe(v.array(resourceName), v.maxLength(100)), []),
});

/** When the next stage opens: so many percent of the devices in reach run the release, each of them for so long. */
export const gateSchema = v.strictObject({
  runningPercent: v.optional(v.pipe(percent, v.minValue(1, 'must be 1 or more')), 90),
  soakMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(90 * 24 * 3_600_000)), 600_000),
});

/** When no further device gets it. Failures that are vanished devices count as both. */
export const haltSchema = v.strictObject({
  /** So many devices failed. */
  failures: v.optional(wholeNumber, 5),
  /** So many percent of those that came to an end failed, when at least `minimumSample` did. */
  failurePercent: v.optional(v.pipe(percent, v.minValue(1, 'must be 1 or more')), 10),
  minimumSample: v.optional(wholeNumber, 10),
  /** So many devices took all of it and were not heard of again. */
  vanished: v.optional(wholeNumber, 2),
});

/** What is done where nobody says anything: a twentieth, a fifth, a half, all. */
const defaultStages = [{ share: 5 }, { share: 20 }, { share: 50 }, { share: 100 }];

export const rolloutRequestSchema = v.strictObject({
  /** A release that serves, of all its kinds and boards. */
  version: firmwareVersion,
  channel: v.optional(resourceName, 'stable'),
  stages: v.optional(
    v.pipe(
      v.array(stageSchema),
      v.minLength(1, 'must have a stage'),
      v.maxLength(20, 'has more than 20 stages'),
      v.check((stages) => stages.at(-1)?.share === 100, 'the last stage must be for 100 percent'),
      v.check(
        (stages) => stages.every(({ share }, index) => index === 0 || share >= (stages[index - 1]?.share ?? 0)),
        'the shares must not become smaller',
      ),
    ),
    defaultStages,
  ),
  gate: v.optional(gateSchema, {}),
  halt: v.optional(haltSchema, {}),
});
export type RolloutRequest = v.InferInput<typeof rolloutRequestSchema>;

export type RolloutStage = DeepReadonly<v.InferOutput<typeof stageSchema>>;
export type RolloutGate = v.InferOutput<typeof gateSchema>;
export type RolloutHalt = v.InferOutput<typeof haltSchema>;

/**
 * active: devices of the open stages get it. paused, halted: nobody gets it any more; who has it keeps it, until somebody decides. aborted: the
 * same, for good. rolled-back: who has it gets the former release again, where that is safe. complete: the channel offers it.
 */
export const rolloutStates = ['active', 'paused', 'halted', 'aborted', 'rolled-back', 'complete'] as const;
export type RolloutState = (typeof rolloutStates)[number];

/** advance: opens the next stage now. */
export const rolloutActions = ['pause', 'resume', 'advance', 'abort', 'rollback'] as const;
export type RolloutAction = (typeof rolloutActions)[number];

export const rolloutActionSchema = v.strictObject({
  /** For `resume` of a halted rollout: those that failed so far are known, and do not halt it again. */
  acceptFailures: v.optional(v.boolean(), false),
  /** For the audit log. */
  reason: v.optional(v.pipe(v.string(), v.maxLength(200))),
});
export type RolloutActionRequest = v.InferInput<typeof rolloutActionSchema>;
