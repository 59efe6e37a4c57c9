import type { RolloutGate, RolloutHalt, RolloutStage, RolloutState } from '../../../api/rollout.ts';
import type { RolloutInfo } from '../../../api/rollout-info.ts';
import { counted, durationText } from './words.tsx';

/** States in words, with the color and the sign of the badge. */
export const stateWords: Readonly<
  Record<RolloutState, { readonly kind: string; readonly sign: string; readonly label: string }>
> = {
  active: { kind: 'waiting', sign: '…', label: 'active' },
  paused: { kind: 'refused', sign: '‖', label: 'paused' },
  halted: { kind: 'failed', sign: '✕', label: 'halted' },
  aborted: { kind: 'failed', sign: '✕', label: 'aborted' },
  'rolled-back': { kind: 'refused', sign: '↺', label: 'rolled back' },
  complete: { kind: 'current', sign: '✓', label: 'complete' },
};

/** Canaries of a stage; more are counted. */
export const mostNamed = 5;

/** Who is in a stage. */
export function stageText({ share, canaries, groups }: RolloutStage): string {
  const parts = [
    canaries.length === 0
      ? undefined
      : canaries.length > mostNamed
        ? counted(canaries.length, 'device')
        : canaries.join(', '),
    groups.length === 0 ? undefined : `${groups.length === 1 ? 'group' : 'groups'} ${groups.join(', ')}`,
    share === 0 ? undefined : share === 100 ? 'all devices' : `${share} % of the devices`,
  ];
  return parts.filter((part) => part !== undefined).join(' and ') || 'nobody';
}

export function gateText({ runningPercent, soakMs }: RolloutGate): string {
  const share = runningPercent === 100 ? 'all devices' : `${runningPercent} % of the devices`;
  const soak = soakMs === 0 ? 'run it' : `have run it for ${durationText(soakMs)}`;
  return `The next stage opens when ${share} that can take it ${soak}.`;
}

export function haltText({ failures, failurePercent, minimumSample, vanished }: RolloutHalt): string {
  const rules = [
    failures === 1 ? 'a device has failed' : `${failures} devices have failed`,
    `${failurePercent} % of at least ${minimumSample} have failed`,
    vanished === 1 ? 'a device has vanished' : `${vanished} have vanished after they took all of it`,
  ];
  return `No further device gets it when ${rules.slice(0, -1).join(', when ')}, or when ${rules.at(-1)}.`;
}

/** How it stands, in a sentence. */
export function rolloutText({ state, reason, waitingFor, openStages, stages, former }: RolloutInfo): string {
  const of = `${openStages} of ${counted(stages.length, 'stage')}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  switch (state) {
    case 'active':
      return `${of} open${waitingFor === undefined ? '' : `; waits: ${waitingFor}`}.`;
    case 'paused':
      return `Nobody gets it until it is resumed${why}.`;
    case 'halted':
      return `No further device gets it${why}.`;
    case 'aborted':
      return `No further device gets it; who has it keeps it${why}.`;
    case 'rolled-back':
      return `Who has it gets ${former ?? 'the former release'} again, where that is safe${why}.`;
    case 'complete':
      return 'All stages are done; the channel offers it.';
  }
}
