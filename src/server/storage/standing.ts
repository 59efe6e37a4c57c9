import type { Attempt, DecisionRecord, DeviceRecord } from './records.ts';

/**
 * Update state of a device, by which lists can be filtered.
 *
 * - failed: an update was sent and the device does not run it; it is sent again after a retry
 * - refused: the device should get an update but is not sent it; its decision has the reason
 * - waiting: an update is on its way, or the stage of the device is not open yet
 * - current: there is nothing to install
 * - unseen: the device is enrolled and has made no request
 */
export const standings = ['failed', 'refused', 'waiting', 'current', 'unseen'] as const;
export type Standing = (typeof standings)[number];

/** Returns the worse state of sketch and filesystem; `standings` lists the worst first. */
export function deviceStatus({ decisions, attempts }: Pick<DeviceRecord, 'decisions' | 'attempts'>): Standing {
  const found = (['sketch', 'filesystem'] as const).map((kind) =>
    standingOfKind(
      decisions[kind],
      attempts.find((attempt) => attempt.kind === kind),
    ),
  );
  return standings.find((standing) => found.includes(standing)) ?? 'unseen';
}

/** Returns the state for one kind of image. A failure stays until it is retried or the next update is sent. */
function standingOfKind(decision: DecisionRecord | undefined, latest: Attempt | undefined): Standing {
  if (decision === undefined) return 'unseen';
  const { action, code } = decision;
  if (code === 'failed' || latest?.state === 'failed') return 'failed';
  if (action === 'current') return 'current';
  return action === 'send' || code === 'not-yet' ? 'waiting' : 'refused';
}
