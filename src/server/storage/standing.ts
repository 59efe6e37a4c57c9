import type { Attempt, DecisionRecord, DeviceRecord } from './records.ts';

/**
 * How a device stands, in a word that lists can be filtered by.
 *
 * - failed: was sent an update and did not come to run it; it gets it again when somebody says so
 * - refused: it should have something, and is not sent it; its decision says why
 * - waiting: an update is on its way, or its turn has not come
 * - current: there is nothing to do
 * - unseen: enrolled, and it never asked
 */
export const standings = ['failed', 'refused', 'waiting', 'current', 'unseen'] as const;
export type Standing = (typeof standings)[number];

/** The worst of its sketch and its files; `standings` is in that order. */
export function standingOf({ decisions, attempts }: Pick<DeviceRecord, 'decisions' | 'attempts'>): Standing {
  const found = (['sketch', 'filesystem'] as const).map((kind) =>
    standingOfKind(
      decisions[kind],
      attempts.find((attempt) => attempt.kind === kind),
    ),
  );
  return standings.find((standing) => found.includes(standing)) ?? 'unseen';
}

/** A failure stays until somebody forgives it, or the next update is sent; whatever is offered meanwhile. */
function standingOfKind(decision: DecisionRecord | undefined, latest: Attempt | undefined): Standing {
  if (decision === undefined) return 'unseen';
  const { action, code } = decision;
  if (code === 'failed' || latest?.state === 'failed') return 'failed';
  if (action === 'current') return 'current';
  return action === 'send' || code === 'not-yet' ? 'waiting' : 'refused';
}
