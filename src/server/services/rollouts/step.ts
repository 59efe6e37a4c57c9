import type { RolloutState } from '../../../api/rollout.ts';
import type { Actor, RolloutRecord } from '../../storage/records.ts';
import type { Note } from '../../storage/store.ts';

/** Change of a rollout, with the data stored in the same transaction. */
export interface RolloutStep {
  readonly rollout: RolloutRecord;
  readonly note: Note;
  /** Releases that the channel serves from then on; undefined if unchanged. */
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

/** Text of the history, and name in the audit log. */
interface Change {
  readonly event: string;
  readonly action: string;
}

const changes: Readonly<Record<RolloutState, Change>> = {
  active: { event: 'resumed', action: 'rollout.resume' },
  paused: { event: 'paused', action: 'rollout.pause' },
  halted: { event: 'halted', action: 'rollout.halt' },
  aborted: { event: 'aborted', action: 'rollout.abort' },
  'rolled-back': { event: 'rolled back', action: 'rollout.rollback' },
  complete: { event: 'completed', action: 'rollout.complete' },
};

export function isUnderWay({ state }: Pick<RolloutRecord, 'state'>): boolean {
  return !ended.includes(state);
}

/** Moves a rollout to another state. */
export function stepTo(rollout: RolloutRecord, state: RolloutState, why: Why): RolloutStep {
  const endedAt = ended.includes(state) ? why.at : undefined;
  return change({ ...rollout, state, reason: why.reason, endedAt }, changes[state], why);
}

/** Opens the next stage. */
export function stepToNextStage(rollout: RolloutRecord, why: Why): RolloutStep {
  const openStages = rollout.openStages + 1;
  return change({ ...rollout, openStages }, { event: `stage ${openStages} opened`, action: 'rollout.advance' }, why);
}

/** Records a change in the history and for the audit log. */
function change(rollout: RolloutRecord, { event, action }: Change, { by, reason, at }: Why): RolloutStep {
  const { version, channel, openStages, state, history } = rollout;
  return {
    rollout: { ...rollout, history: [...history, { at, event, by, reason }].slice(-mostEvents) },
    note: { by, action, detail: { version, channel, state, openStages, reason } },
  };
}
