import type { ReleaseRecord, RolloutRecord } from '../../storage/records.ts';
import { type StagedDevice, stageOf } from './stage.ts';

/** Rollout as update checks use it. */
export interface RolloutView {
  readonly rollout: RolloutRecord;
  /** Releases of the rollout, of all kinds and boards. */
  readonly releases: readonly ReleaseRecord[];
}

/**
 * Release that applies to a device while its channel has a rollout.
 *
 * - current: the current release of the channel
 * - release: the release of the rollout
 * - stay: the release of the rollout, which the device already runs, while the channel serves the previous one
 * - wait: the current release of the channel; the release of the rollout later or never
 */
export type Admission =
  | { readonly kind: 'current' }
  | { readonly kind: 'release' | 'stay'; readonly release: ReleaseRecord }
  | { readonly kind: 'wait'; readonly reason: string };

/** Device for which admission is decided. */
interface Applicant extends StagedDevice {
  /** Release of the rollout for this device, if any. */
  readonly release: ReleaseRecord | undefined;
  readonly runsIt: boolean;
  /** Current release of the channel for this device. */
  readonly current: ReleaseRecord | undefined;
}

/** Decides whether a device gets the release of a rollout. Pure, and the only code that decides this. */
export function admit({ rollout }: RolloutView, { release, runsIt, current, ...device }: Applicant): Admission {
  const isSuperseded = current !== undefined && !rollout.previousIds.includes(current.id);
  if (release === undefined || isSuperseded || current?.id === release.id) return { kind: 'current' };
  const { state, version, openStages, stages } = rollout;
  if (state === 'complete' || state === 'rolled-back') return { kind: 'current' };
  if (runsIt) return { kind: 'stay', release };
  if (state !== 'active') return { kind: 'wait', reason: `Rollout of ${version} is ${state}.` };
  const stage = stageOf(rollout, device);
  if (stage < openStages) return { kind: 'release', release };
  return { kind: 'wait', reason: `Waiting for stage ${stage + 1} of ${stages.length} of the rollout of ${version}.` };
}
