import type { RolloutTally } from '../../../api/rollout-info.ts';
import { counted, countText } from '../../../core/model/quantity-text.ts';
import { blockersOf } from '../../storage/device-status.ts';
import type { DeviceRecord, RolloutRecord, SeenDevice } from '../../storage/records.ts';
import type { RolloutCount } from '../../storage/store.ts';
import { type SelectedMembers, selectMembers } from './member-selection.ts';
import { exclusionOf } from './progress.ts';

/** Number of devices of a status that are read for the cause of a stall. Of more devices, only their number is stated. */
export const mostExamined = 1000;

/**
 * Returns the rollout with its last progress: its start, its last step, or the time at which more devices than ever before were updated. A
 * device that fails and is updated again is not progress.
 *
 * @param servedMs current time on the `ServiceTime.servedMs` clock
 * @returns the same object if there was no progress
 */
export function withProgress(rollout: RolloutRecord, { running }: RolloutTally, servedMs: number): RolloutRecord {
  const { state, progress } = rollout;
  if (state !== 'active' || (progress !== undefined && running <= progress.running)) return rollout;
  return { ...rollout, progress: { running, servedMs } };
}

const dayMs = 24 * 60 * 60_000;

/**
 * Returns whether an active rollout has not progressed for `afterMs`, in addition to the time for which it waits by itself: its gate, and
 * the time until its next window.
 */
export function isStalled(
  { state, progress, gate, window }: Pick<RolloutRecord, 'state' | 'progress' | 'gate' | 'window'>,
  servedMs: number,
  afterMs: number,
): boolean {
  if (state !== 'active' || progress === undefined) return false;
  const waitMs = gate.soakMs + (window === undefined ? 0 : dayMs);
  return servedMs - progress.servedMs >= afterMs + waitMs;
}

/** Reads the first devices of a selection, at most `mostExamined`. */
type ReadMembers = (selected: SelectedMembers) => Promise<readonly SeenDevice[]>;

/** Describes what a rollout waits for, and the devices in its open stages that are not updated. */
export async function stallCause(
  rollout: RolloutRecord,
  waitingFor: string,
  counts: readonly RolloutCount[],
  read: ReadMembers,
): Promise<string> {
  const open = counts.filter(({ stage }) => stage < rollout.openStages);
  const numberOf = (status: 'updating' | 'failed' | 'undelivered') => selectMembers(rollout, open, { status }).total;
  const texts = [
    await pendingText(selectMembers(rollout, open, { status: 'pending' }), read),
    textOf(numberOf('updating'), 'updating'),
    textOf(numberOf('failed'), 'failed'),
    textOf(numberOf('undelivered'), 'running it, not downloaded here'),
    await blockedText(rollout, selectMembers(rollout, open, { status: 'blocked' }), read),
  ].filter((text) => text !== undefined);
  return `waiting for ${[waitingFor, texts.join(', ')].filter((text) => text !== '').join('; ')}`;
}

function textOf(count: number, what: string): string | undefined {
  return count === 0 ? undefined : `${countText(count)} ${what}`;
}

async function pendingText(selected: SelectedMembers, read: ReadMembers): Promise<string | undefined> {
  const { total } = selected;
  if (total === 0 || total > mostExamined) return textOf(total, 'pending');
  const devices = await read(selected);
  const seen = devices.flatMap(({ lastSeenAt }) => lastSeenAt ?? []);
  if (seen.length === 0) {
    const hadCheckIn = devices.some(({ record }) => record.firstSeenAt !== undefined);
    return `${countText(total)} pending, which ${hadCheckIn ? 'last checked in long ago' : 'never checked in'}`;
  }
  const last = new Date(Math.max(...seen)).toISOString().slice(0, 16).replace('T', ' ');
  return `${countText(total)} pending, last seen ${last} UTC${total === 1 ? '' : ' or earlier'}`;
}

async function blockedText(
  rollout: RolloutRecord,
  selected: SelectedMembers,
  read: ReadMembers,
): Promise<string | undefined> {
  const { total } = selected;
  const text = textOf(total, 'cannot take it');
  if (total === 0 || total > mostExamined) return text;
  const byRule = new Map<string, number>();
  for (const { record } of await read(selected)) {
    for (const rule of rulesOf(rollout, record)) byRule.set(rule, (byRule.get(rule) ?? 0) + 1);
  }
  const [most, ...others] = [...byRule].sort(([, a], [, b]) => b - a);
  if (most === undefined) return text;
  const isAll = others.length === 0 && most[1] === total;
  const rules = isAll
    ? `blocked by ${most[0]}`
    : [most, ...others].map(([rule, devices]) => `${rule}: ${counted(devices, 'device')}`).join(', ');
  return `${text} (${rules})`;
}

function rulesOf(rollout: RolloutRecord, record: DeviceRecord): readonly string[] {
  const exclusion = exclusionOf(rollout, record);
  return exclusion === undefined ? blockersOf(record) : [exclusion.code];
}
