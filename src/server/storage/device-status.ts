import { type DeviceStatus, deviceStatuses } from '../../api/admin-info.ts';
import type { Attempt, DecisionRecord, DeviceRecord } from './records.ts';

/** Returns the worse of the sketch status and the filesystem status; `deviceStatuses` lists the worst status first. */
export function deviceStatus({ decisions, attempts }: Pick<DeviceRecord, 'decisions' | 'attempts'>): DeviceStatus {
  const found = (['sketch', 'filesystem'] as const).map((kind) =>
    statusOfKind(
      decisions[kind],
      attempts.find((attempt) => attempt.kind === kind),
    ),
  );
  return deviceStatuses.find((status) => found.includes(status)) ?? 'unknown';
}

/**
 * Returns what blocks a device with the status `blocked`: IDs of preflight rules, or the code of the decision if no rule is involved. Sorted
 * and without duplicates.
 */
export function blockersOf(record: Pick<DeviceRecord, 'decisions' | 'attempts'>): readonly string[] {
  if (deviceStatus(record) !== 'blocked') return [];
  const { sketch, filesystem } = record.decisions;
  const found = [sketch, filesystem].flatMap((decision) => {
    if (decision === undefined || statusOfKind(decision, undefined) !== 'blocked') return [];
    const [code, ...rules] = decision.code.split(' ');
    return code === 'blocked' ? rules : [code ?? ''];
  });
  return [...new Set(found)].sort();
}

/** Returns the status for one image kind. A failure is kept until it is retried or the next update is sent. */
function statusOfKind(decision: DecisionRecord | undefined, latest: Attempt | undefined): DeviceStatus {
  if (decision === undefined) return 'unknown';
  const { action, code } = decision;
  if (code === 'failed' || latest?.state === 'failed') return 'failed';
  if (action === 'up-to-date') return 'up-to-date';
  if (action === 'send') return latest?.state === 'sent' || latest?.state === 'received' ? 'updating' : 'pending';
  if (code === 'rollout-pending' || code === 'retry' || code === 'interrupted') return 'pending';
  return code === 'no-release' ? 'unknown' : 'blocked';
}
