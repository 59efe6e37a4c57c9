import * as v from 'valibot';
import { type DeepReadonly, printable } from '../core/model/fields.ts';
import { allowedLockOuts, firmwareVersion, reasonText, resourceName } from './release.ts';

const percent = v.pipe(
  v.number('must be a number'),
  v.minValue(0, 'must be 0 or more'),
  v.maxValue(100, 'must be 100 or less'),
);
const wholeNumber = v.pipe(
  v.number('must be a number'),
  v.integer('must be an integer'),
  v.minValue(1, 'must be 1 or more'),
  v.maxValue(1_000_000, 'must be 1000000 or less'),
);
const names = v.pipe(v.array(v.pipe(v.string(), v.nonEmpty(), v.maxLength(64), printable)), v.maxLength(1000));

/**
 * Devices that receive the release in this stage. Devices are selected by name, by group or by share of all devices. A stage includes the
 * devices of earlier stages.
 */
export const stageSchema = v.strictObject({
  /** Cumulative percentage of the enrolled devices, including the devices of earlier stages. */
  share: v.optional(percent, 0),
  /** Names or MACs of enrolled devices in this stage. */
  canaries: v.optional(names, []),
  /** Groups in this stage. Only enrolled devices of a group are included. */
  groups: v.optional(v.pipe(v.array(resourceName), v.maxLength(100)), []),
});

/** Condition for opening the next stage: `runningPercent` of the reachable devices must run the release for at least `soakMs`. */
export const gateSchema = v.strictObject({
  runningPercent: v.optional(v.pipe(percent, v.minValue(1, 'must be 1 or more')), 90),
  soakMs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(90 * 24 * 3_600_000)), 600_000),
});

/** Limits that halt the rollout. A device that does not confirm the update counts as failed. */
export const haltSchema = v.strictObject({
  /** Number of failed devices at which the rollout is halted. */
  failures: v.optional(wholeNumber, 5),
  /**
   * Percentage of failed devices that halts the rollout. The limit applies after at least `minimumSample` devices have finished (running
   * or failed).
   */
  failurePercent: v.optional(v.pipe(percent, v.minValue(1, 'must be 1 or more')), 10),
  minimumSample: v.optional(wholeNumber, 10),
  /** Number of unresponsive devices that halts the rollout. These devices have sent no request since their download started. */
  notConfirmed: v.optional(wholeNumber, 2),
});

const timeOfDay = v.pipe(
  v.string('must be text'),
  v.regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 01:00'),
);

/** Daily window in which a rollout sends its release. A window such as 22:00 to 04:00 includes midnight. */
export const windowSchema = v.pipe(
  v.strictObject({
    from: timeOfDay,
    /** End of the window; this minute is not part of it. */
    to: timeOfDay,
    /** Name of the time zone in the IANA database. */
    timeZone: v.optional(
      v.pipe(
        v.string('must be text'),
        v.regex(/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/, 'must be the name of a time zone such as Europe/Berlin'),
        v.check(isTimeZone, 'must be the name of a time zone such as Europe/Berlin'),
        v.examples(['Europe/Berlin']),
      ),
      'UTC',
    ),
  }),
  v.check(({ from, to }) => from !== to, 'must not begin and end at the same time'),
);

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone }) !== undefined;
  } catch {
    return false;
  }
}

/** Default stages: 5%, 20%, 50% and 100% of the devices. */
const defaultStages = [{ share: 5 }, { share: 20 }, { share: 50 }, { share: 100 }];

export const rolloutRequestSchema = v.strictObject({
  /** Version of a published release that is not a reference build. The rollout includes all kinds and boards of this version. */
  version: firmwareVersion,
  channel: v.optional(resourceName, 'stable'),
  stages: v.optional(
    v.pipe(
      v.array(stageSchema),
      v.minLength(1, 'must have at least one stage'),
      v.maxLength(20, 'must have at most 20 stages'),
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
  /** Daily window in which the release is sent; absent to send it at any time. */
  window: v.optional(windowSchema),
  /** Maximum number of sends within an hour; absent for no limit. */
  perHour: v.optional(wholeNumber),
  allow: allowedLockOuts,
});
export type RolloutRequest = v.InferInput<typeof rolloutRequestSchema>;

export type RolloutStage = DeepReadonly<v.InferOutput<typeof stageSchema>>;
export type RolloutGate = v.InferOutput<typeof gateSchema>;
export type RolloutHalt = v.InferOutput<typeof haltSchema>;
export type RolloutWindow = Readonly<v.InferOutput<typeof windowSchema>>;

/**
 * active: devices in open stages receive the release. paused, halted: no further devices receive the release; devices that run the
 * release keep it. aborted: like paused, but the rollout cannot be resumed. rolled-back: devices that run the release are sent the
 * previous release, if preflight allows the update. complete: the release is the channel's current release.
 */
export const rolloutStates = ['active', 'paused', 'halted', 'aborted', 'rolled-back', 'complete'] as const;
export type RolloutState = (typeof rolloutStates)[number];

/** Rollout actions. `advance`: opens the next stage immediately. */
export const rolloutActions = ['pause', 'resume', 'advance', 'abort', 'rollback'] as const;
export type RolloutAction = (typeof rolloutActions)[number];

export const rolloutActionSchema = v.strictObject({
  /** True to accept the existing failures when a halted rollout is resumed. Accepted failures no longer count toward the halt rules. */
  acceptFailures: v.optional(v.boolean(), false),
  /** Reason that is recorded in the audit log. */
  reason: v.optional(reasonText),
});
export type RolloutActionRequest = v.InferInput<typeof rolloutActionSchema>;
