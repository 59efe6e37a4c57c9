import type { RolloutState } from '../../../api/rollout.ts';
import type { Actor, RolloutRecord } from '../../storage/records.ts';
import type { RolloutStepEvent } from '../events/domain-event.ts';

/** Change to a rollout, with the data stored in the same transaction. */
export interface RolloutStep {
  readonly rollout: RolloutRecord;
  readonly event: RolloutStepEvent;
  /** Releases that the channel serves after the change; undefined if unchanged. */
  readonly promote?: readonly number[];
}

export interface Why {
  readonly by: Actor;
  readonly reason?: string | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const ended: readonly RolloutState[] = ['aborted', 'rolled-back', 'complete'];
const mostEvents = 200;

/** Text of a history entry, and the type of the event. */
interface Change {
  readonly text: string;
  readonly type: RolloutStepEvent['type'];
}

const changes: Readonly<Record<RolloutState, Change>> = {
  active: { text: 'resumed', type: 'rollout.resumed' },
  paused: { text: 'paused', type: 'rollout.paused' },
  halted: { text: 'halted', type: 'rollout.halted' },
  aborted: { text: 'aborted', type: 'rollout.aborted' },
  'rolled-back': { text: 'rolled back', type: 'rollout.rolled-back' },
  complete: { text: 'completed', type: 'rollout.completed' },
};

export function isUnderWay({ state }: Pick<RolloutRecord, 'state'>): boolean {
  return !ended.includes(state);
}

/** Changes the state of a rollout. */
export function stepTo(rollout: RolloutRecord, state: RolloutState, why: Why): RolloutStep {
  const endedAt = ended.includes(state) ? why.at : undefined;
  return change({ ...rollout, state, reason: why.reason, endedAt }, changes[state], why);
}

/** Opens the next stage. */
export function stepToNextStage(rollout: RolloutRecord, why: Why): RolloutStep {
  const openStages = rollout.openStages + 1;
  const text = openedText(openStages);
  return change({ ...rollout, openStages }, { text, type: 'rollout.stage-opened' }, why);
}

/** Reports that a rollout does not progress. Its state stays the same. */
export function stepToStalled(rollout: RolloutRecord, why: Why & { readonly reason: string }): RolloutStep {
  const { rollout: next, event } = change(rollout, { text: 'stalled', type: 'rollout.stalled' }, why);
  return { rollout: { ...next, progress: rollout.progress, stalled: { at: why.at, cause: why.reason } }, event };
}

/** Reports that a stalled rollout progresses again. */
export function stepToProgressing(rollout: RolloutRecord, why: Why): RolloutStep {
  return change(rollout, { text: 'progressing again', type: 'rollout.progressed' }, why);
}

/** Returns when a stage was opened, or the rollout was started. */
export function openedAt({ history, startedAt }: RolloutRecord, stage: number): number {
  return history.find(({ event }) => event === openedText(stage + 1))?.at ?? startedAt;
}

function openedText(stageNumber: number): string {
  return `stage ${stageNumber} opened`;
}

/** Adds a change to the history, and describes the change as an event. The time without progress starts again. */
function change(rollout: RolloutRecord, { text, type }: Change, { by, reason, at }: Why): RolloutStep {
  const { id, project, version, channel, openStages, state, history } = rollout;
  return {
    rollout: {
      ...rollout,
      progress: undefined,
      stalled: undefined,
      history: [...history, { at, event: text, by, reason }].slice(-mostEvents),
    },
    event: { type, project, actor: by, at, rollout: id, version, channel, state, openStages, reason },
  };
}
