import type { RolloutAction } from '../../../api/rollout.ts';
import type { RolloutTally } from '../../../api/rollout-info.ts';
import type { RolloutRecord } from '../../storage/records.ts';
import { DomainError } from '../domain-error.ts';
import { isHaltedByUnproven } from './evaluate-rollout.ts';
import { isUnderWay, type RolloutStep, stepTo, stepToNextStage, type Why } from './step.ts';

export interface ActionRequest extends Why {
  /** Accepts the existing failures: the halt rules no longer count them. */
  readonly acceptFailures?: boolean | undefined;
  /** Tally across all stages. */
  readonly tally: RolloutTally;
}

/**
 * Applies an action to a rollout.
 *
 * @throws DomainError conflict if the rollout's state does not allow the action
 */
export function actOn(rollout: RolloutRecord, action: RolloutAction, request: ActionRequest): RolloutStep {
  switch (action) {
    case 'pause':
      if (rollout.state !== 'active') throw notNow(rollout, 'paused', 'Pause a rollout only while it is active.');
      return stepTo(rollout, 'paused', request);
    case 'resume':
      return resume(rollout, request);
    case 'advance':
      if (rollout.state !== 'active')
        throw notNow(rollout, 'advanced', 'Resume the rollout first if it is paused or halted.');
      if (rollout.openStages >= rollout.stages.length)
        throw notNow(rollout, 'advanced', 'Wait until the rollout is complete: all of its stages are already open.');
      return stepToNextStage(rollout, request);
    case 'abort':
      if (!isUnderWay(rollout))
        throw notNow(rollout, 'aborted', 'Start a new rollout: this rollout has already ended.');
      return stepTo(rollout, 'aborted', request);
    case 'rollback':
      return rollBack(rollout, request);
  }
}

function resume(rollout: RolloutRecord, request: ActionRequest): RolloutStep {
  const { state } = rollout;
  if (state === 'paused') return stepTo(rollout, 'active', request);
  if (state !== 'halted') throw notNow(rollout, 'resumed', 'Start a new rollout if this rollout has ended.');
  if (request.acceptFailures !== true) {
    const hint =
      'Check the failed devices. If the release is not the cause, resume and accept the failures (--accept-failures); otherwise abort or roll back.';
    throw notNow(rollout, 'resumed without accepting its failures', hint);
  }
  const { failed, notConfirmed, unprovenFailed, unprovenNotConfirmed } = request.tally;
  const accepted = { failed, notConfirmed, unprovenFailed, unprovenNotConfirmed };
  const unprovenResumes = rollout.unprovenResumes + (isHaltedByUnproven(rollout, request.tally) ? 1 : 0);
  return stepTo({ ...rollout, accepted, unprovenResumes }, 'active', request);
}

/**
 * Rolls a rollout back. The channel's current release applies to all devices again. Devices on the new release are sent the current release
 * if preflight allows it.
 */
function rollBack(rollout: RolloutRecord, request: ActionRequest): RolloutStep {
  if (rollout.state === 'rolled-back')
    throw notNow(rollout, 'rolled back', 'Promote the previous release to return the remaining devices.');
  if (rollout.previousIds.length === 0) {
    throw notNow(
      rollout,
      'rolled back',
      'Promote an older version instead: the channel had no release before this rollout.',
    );
  }
  const step = stepTo(rollout, 'rolled-back', request);
  return rollout.state === 'complete' ? { ...step, promote: rollout.previousIds } : step;
}

function notNow({ version, state }: RolloutRecord, done: string, hint: string): DomainError {
  return new DomainError('conflict', `the rollout of ${version} is ${state} and cannot be ${done}`, hint);
}
