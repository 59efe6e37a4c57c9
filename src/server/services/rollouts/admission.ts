import type { ReleaseRecord, RolloutRecord } from '../../storage/records.ts';
import { type StagedDevice, stageOf } from './stage.ts';

/** A rollout as devices are answered from it. */
export interface RolloutView {
  readonly rollout: RolloutRecord;
  /** Its releases, of all kinds and boards. */
  readonly releases: readonly ReleaseRecord[];
}

/**
 * What a device is offered while a release goes round.
 * offer: what the channel offers. release: the new one. stay: it has the new one, and the channel offers the one before.
 * wait: what the channel offers, and the new one later or never.
 */
export type Admission =
  | { readonly kind: 'offer' }
  | { readonly kind: 'release' | 'stay'; readonly release: ReleaseRecord }
  | { readonly kind: 'wait'; readonly reason: string };

/** Whom the question is about. */
interface Applicant extends StagedDevice {
  /** The release of the rollout that is for this device, if there is one. */
  readonly release: ReleaseRecord | undefined;
  readonly runsIt: boolean;
  /** What the channel offers it. */
  readonly offered: ReleaseRecord | undefined;
}

/** Whether a device gets the release of a rollout. Pure, and the only place that says so. */
export function admit({ rollout }: RolloutView, { release, runsIt, offered, ...device }: Applicant): Admission {
  const isSuperseded = offered !== undefined && !rollout.formerIds.includes(offered.id);
  if (release === undefined || isSuperseded || offered?.id === release.id) return { kind: 'offer' };
  const { state, version, openStages, stages } = rollout;
  if (state === 'complete' || state === 'rolled-back') return { kind: 'offer' };
  if (runsIt) return { kind: 'stay', release };
  if (state !== 'active') return { kind: 'wait', reason: `the rollout of ${version} is ${state}` };
  const stage = stageOf(rollout, device);
  if (stage < openStages) return { kind: 'release', release };
  return { kind: 'wait', reason: `${version} comes to it with stage ${stage + 1} of ${stages.length}` };
}
