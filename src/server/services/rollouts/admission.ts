import type { ReleaseRecord, RolloutRecord } from '../../storage/records.ts';
import { type StagedDevice, stageOf } from './stage.ts';

/** Rollout in the form used by update checks. */
export interface RolloutView {
  readonly rollout: RolloutRecord;
  /** Releases in the rollout, for all kinds and boards. */
  readonly releases: readonly ReleaseRecord[];
}

/**
 * Release that applies to a device while its channel has a rollout.
 *
 * - current: the channel's current release
 * - release: the rollout's release
 * - stay: the rollout's release, which the device already runs although the channel still serves the previous release
 * - wait: the channel's current release for now; the rollout's release follows later, or never if the rollout was aborted
 */
export type Admission =
  | { readonly kind: 'current' }
  | { readonly kind: 'release' | 'stay'; readonly release: ReleaseRecord }
  | { readonly kind: 'wait'; readonly reason: string; readonly version: string; readonly isToCome: boolean };

/** Device for which admission is decided. */
interface Applicant extends StagedDevice {
  /** The rollout's release for this device, if any. */
  readonly release: ReleaseRecord | undefined;
  /** True if a person asked to send the release to this device now. */
  readonly isRequested: boolean;
  readonly runsIt: boolean;
  /** The channel's current release for this device. */
  readonly current: ReleaseRecord | undefined;
}

/** Decides whether a device is sent a rollout's release. This function is pure, and no other code makes this decision. */
export function admit(
  { rollout }: RolloutView,
  { release, isRequested, runsIt, current, ...device }: Applicant,
): Admission {
  const isSuperseded = current !== undefined && !rollout.previousIds.includes(current.id);
  if (release === undefined || isSuperseded || current?.id === release.id) return { kind: 'current' };
  const { state, version, openStages, stages } = rollout;
  if (state === 'complete' || state === 'rolled-back') return { kind: 'current' };
  if (runsIt) return { kind: 'stay', release };
  const wait = { kind: 'wait', version, isToCome: state !== 'aborted' } as const;
  if (state === 'aborted') return { ...wait, reason: `The rollout of ${version} was aborted.` };
  const stage = stageOf(rollout, device);
  const isOpen = stage < openStages || isRequested;
  if (state === 'active' && isOpen) return { kind: 'release', release };
  // The reason is stored with the device. It must stay true while the rollout is paused, halted and resumed.
  if (!isOpen) {
    return { ...wait, reason: `Waiting for stage ${stage + 1} of ${stages.length} of the rollout of ${version}.` };
  }
  return { ...wait, reason: `Waiting until the rollout of ${version} is resumed.` };
}
