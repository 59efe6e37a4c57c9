import type { RolloutGate, RolloutHalt, RolloutStage, RolloutState } from '../../../api/rollout.ts';
import type { RolloutInfo, UnprovenReports } from '../../../api/rollout-info.ts';
import { counted, countText, roundedDuration } from '../../../core/model/quantity-text.ts';

/** Badge label, color and symbol for each state. */
export const stateWords: Readonly<
  Record<RolloutState, { readonly kind: string; readonly sign: string; readonly label: string }>
> = {
  active: { kind: 'updating', sign: '…', label: 'active' },
  paused: { kind: 'blocked', sign: '‖', label: 'paused' },
  halted: { kind: 'failed', sign: '✕', label: 'halted' },
  aborted: { kind: 'failed', sign: '✕', label: 'aborted' },
  'rolled-back': { kind: 'blocked', sign: '↺', label: 'rolled back' },
  complete: { kind: 'up-to-date', sign: '✓', label: 'complete' },
};

/** Maximum number of canaries listed by name. For more canaries, only their number is shown. */
export const mostNamed = 5;

/** Describes which devices are in a stage. */
export function stageText({ share, canaries, groups }: RolloutStage): string {
  const parts = [
    canaries.length === 0
      ? undefined
      : canaries.length > mostNamed
        ? counted(canaries.length, 'canary', 'canaries')
        : canaries.join(', '),
    groups.length === 0 ? undefined : `${groups.length === 1 ? 'group' : 'groups'} ${groups.join(', ')}`,
    share === 0 ? undefined : share === 100 ? 'all devices' : `${share}% of devices`,
  ];
  return parts.filter((part) => part !== undefined).join(' and ') || 'no devices';
}

export function gateText({ runningPercent, soakMs }: RolloutGate): string {
  const share = runningPercent === 100 ? 'all devices' : `${runningPercent}% of devices`;
  const soak = soakMs === 0 ? 'run the release' : `have run the release for ${roundedDuration(soakMs)}`;
  return `The next stage opens when ${share} in the open stages ${soak}. Devices that cannot take the release, and devices that run it without having downloaded it from this server, do not count.`;
}

export function haltText({ failures, failurePercent, minimumSample, notConfirmed }: RolloutHalt): string {
  const rules = [
    failures === 1 ? '1 device has failed' : `${countText(failures)} devices have failed`,
    `${failurePercent}% of at least ${counted(minimumSample, 'finished attempt')} have failed`,
    `${notConfirmed === 1 ? '1 device has' : `${countText(notConfirmed)} devices have`} not confirmed the update`,
  ];
  return `The rollout halts when ${rules.slice(0, -1).join(', when ')}, or when ${rules.at(-1)}.`;
}

/** Describes the sources of reports without credentials: if all are from one address, a single client may have sent them. */
export function reportSourcesText({ addresses, most }: UnprovenReports): string {
  const [first] = most;
  return addresses === 1
    ? `all from ${first?.address ?? 'one address'}`
    : `from ${counted(addresses, 'address', 'addresses')}`;
}

/** Describes a rollout's state in one sentence. */
export function rolloutText({ state, reason, waitingFor, openStages, stages, previous }: RolloutInfo): string {
  const of = `${openStages} of ${counted(stages.length, 'stage')}`;
  const why = reason === undefined ? '' : ` Reason: ${reason}`;
  switch (state) {
    case 'active':
      return `${of} open${waitingFor === undefined ? '' : `; waiting for ${waitingFor}`}.`;
    case 'paused':
      return `No further devices are updated until the rollout is resumed.${why}`;
    case 'halted':
      return `No further devices are updated.${why}`;
    case 'aborted':
      return `No further devices are updated. Devices already updated keep this version.${why}`;
    case 'rolled-back':
      return `Devices already updated return to ${previous ?? 'the previous release'} where that is safe.${why}`;
    case 'complete':
      return 'All stages are complete, and the release is promoted to its channel.';
  }
}
