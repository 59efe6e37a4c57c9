import type { RolloutDevices } from '../../../api/rollout-info.ts';
import type { DeviceRecord, RolloutRecord, SeenDevice } from '../../storage/records.ts';
import type { FinalMember } from '../../storage/store.ts';
import { blockFix, blockReason } from '../devices/blocked-update.ts';
import { exclusionFix } from '../devices/exclusion.ts';
import { failureText } from '../devices/failure-text.ts';
import { exclusionOf, memberAttempt, memberProgress } from './progress.ts';
import { stageOf } from './stage.ts';
import { openedAt } from './step.ts';
import { finalProgress } from './tally.ts';

export type MemberInfo = RolloutDevices['devices'][number];
type Explanation = Pick<MemberInfo, 'reason' | 'fix'>;

/** Describes a member of a rollout, and why it has its status. */
export function memberInfo(rollout: RolloutRecord, { record, lastSeenAt }: SeenDevice): MemberInfo {
  const { mac, name } = record;
  const stage = stageOf(rollout, record);
  return {
    mac,
    name,
    stage: stage + 1,
    status: memberProgress(rollout, record).state,
    ...explanation(rollout, record, { stage, lastSeenAt }),
    firstSeenAt: isoOf(record.firstSeenAt),
    lastSeenAt: minuteOf(lastSeenAt),
  };
}

/**
 * Describes a member of a rollout as it was when the rollout ended.
 *
 * @param device the device as it is now; undefined if it has been removed
 */
export function finalMemberInfo(
  { version }: Pick<RolloutRecord, 'version'>,
  { mac, stage, kind }: FinalMember,
  device: SeenDevice | undefined,
): MemberInfo {
  const { status, reason } = finalProgress(kind, version);
  return {
    mac,
    name: device?.record.name,
    stage: stage + 1,
    status,
    reason: device === undefined ? `${reason} The device has been removed since.` : reason,
    firstSeenAt: isoOf(device?.record.firstSeenAt),
    lastSeenAt: minuteOf(device?.lastSeenAt),
  };
}

function isoOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

function minuteOf(lastSeenAt: number | undefined): string | undefined {
  return isoOf(lastSeenAt && lastSeenAt - (lastSeenAt % 60_000));
}

interface Seen {
  /** Index of the stage. */
  readonly stage: number;
  readonly lastSeenAt: number | undefined;
}

function explanation(rollout: RolloutRecord, record: DeviceRecord, seen: Seen): Explanation {
  const { version } = rollout;
  const { project, mac } = record;
  switch (memberProgress(rollout, record).state) {
    case 'pending':
      return { reason: pendingReason(rollout, record, seen) };
    case 'updating':
      return { reason: updatingReason(rollout, record) };
    case 'running':
      return { reason: `Runs ${version}.` };
    case 'undelivered':
      return { reason: `Runs ${version}, but has not downloaded it from this server.` };
    case 'failed': {
      const attempt = memberAttempt(rollout, record);
      const reason = attempt === undefined ? `Does not run ${version}.` : `${failureText(attempt)}.`;
      return { reason, fix: `run \`ota-hooks server devices retry ${project} ${mac}\`` };
    }
    case 'blocked':
      return blockedExplanation(rollout, record);
  }
}

function pendingReason(rollout: RolloutRecord, record: DeviceRecord, { stage, lastSeenAt }: Seen): string {
  const { decisions, firstSeenAt } = record;
  if (stage >= rollout.openStages) return `Stage ${stage + 1} is not open yet.`;
  const decision = decisions.sketch ?? decisions.filesystem;
  if (firstSeenAt === undefined || decision === undefined) return 'No update check yet.';
  // The server removes the times of old check-ins.
  if (lastSeenAt === undefined || lastSeenAt < openedAt(rollout, stage))
    return `No update check since stage ${stage + 1} opened.`;
  return rollout.state === 'active' ? decision.text : `The rollout is ${rollout.state}.`;
}

function updatingReason(rollout: RolloutRecord, record: DeviceRecord): string {
  const { version } = rollout;
  const attempt = memberAttempt(rollout, record);
  const decision = attempt && record.decisions[attempt.kind];
  if (attempt?.state === 'interrupted') {
    return decision?.code === 'interrupted' ? decision.text : `Download of ${version} interrupted.`;
  }
  return attempt?.state === 'received'
    ? `Downloaded ${version}, and has not confirmed it yet.`
    : `Download of ${version} started.`;
}

function blockedExplanation(rollout: RolloutRecord, record: DeviceRecord): Explanation {
  const exclusion = exclusionOf(rollout, record);
  if (exclusion !== undefined) return { reason: exclusion.text, fix: exclusionFix(exclusion, record) };
  const { blocked, text = '' } = record.decisions.sketch ?? {};
  if (blocked === undefined) return { reason: text };
  return { reason: `${blockReason(blocked)}.`, fix: blockFix(blocked, record) };
}
