import type { RolloutAction } from '../../../api/rollout.ts';
import type { RolloutTally } from '../../../api/rollout-info.ts';
import type { RolloutRecord } from '../../storage/records.ts';
import { DomainError } from '../domain-error.ts';
import { isUnderWay, type RolloutStep, stepTo, stepToNextStage, type Why } from './step.ts';

export interface ActionRequest extends Why {
  /** Excludes the failures so far from the halt rules. */
  readonly acceptFailures?: boolean | undefined;
  /** Tally of all stages. */
  readonly tally: RolloutTally;
}

/**
 * Applies an action to a rollout.
 *
 * @throws DomainError conflict if the state of the rollout does not allow the action
 */
export function actOn(rollout: RolloutRecord, action: RolloutAction, request: ActionRequest): RolloutStep {
  switch (action) {
    case 'pause':
      if (rollout.state !== 'active') throw notNow(rollout, 'paused', 'Only an active one can be.');
      return stepTo(rollout, 'paused', request);
    case 'resume':
      return resume(rollout, request);
    case 'advance':
      if (rollout.state !== 'active') throw notNow(rollout, 'advanced', 'Resume it first.');
      if (rollout.openStages >= rollout.stages.length) throw notNow(rollout, 'advanced', 'All of its stages are open.');
      return stepToNextStage(rollout, request);
    case 'abort':
      if (!isUnderWay(rollout)) throw notNow(rollout, 'aborted', 'It is over already.');
      return stepTo(rollout, 'aborted', request);
    case 'rollback':
      return rollBack(rollout, request);
  }
}

function resume(rollout: RolloutRecord, request: ActionRequest): RolloutStep {
  const { state } = rollout;
  if (state === 'paused') return stepTo(rollout, 'active', request);
  if (state !== 'halted') throw notNow(rollout, 'resumed', 'Start a new one.');
  if (request.acceptFailures !== true) {
    const hint = `Look at the devices that failed. If the release is not to blame, resume it with acceptFailures (--accept-failures); else abort it or roll it back.`;
    throw notNow(rollout, 'resumed just so', hint);
  }
  const { failed, vanished } = request.tally;
  return stepTo({ ...rollout, accepted: { failed, vanished } }, 'active', request);
}

/**
 * Rolls a rollout back: the current release of the channel applies to all devices, so devices with the new release get the previous one
 * where preflight allows it.
 */
function rollBack(rollout: RolloutRecord, request: ActionRequest): RolloutStep {
  if (rollout.state === 'rolled-back') throw notNow(rollout, 'rolled back', 'It is already.');
  if (rollout.formerIds.length === 0) {
    throw notNow(rollout, 'rolled back', 'Its channel offered nothing before: offer an older version there instead.');
  }
  const step = stepTo(rollout, 'rolled-back', request);
  return rollout.state === 'complete' ? { ...step, offer: rollout.formerIds } : step;
}

function notNow({ version, state }: RolloutRecord, done: string, hint: string): DomainError {
  return new DomainError('conflict', `the rollout of ${version} is ${state} and cannot be ${done}`, hint);
}
