import {
  type MemberSelectionName,
  memberStatuses,
  type RolloutInfo,
  type RolloutTally,
  type UnprovenReports,
} from '../../../../api/rollout-info.ts';
import { counted, countText } from '../../../../core/model/quantity-text.ts';
import { table } from '../../../output/table.ts';
import { properties, type TextBlock } from '../../../output/text-block.ts';
import { agoOf } from '../../../output/time-text.ts';

/** Formats rollouts as a table with one line per rollout. */
export function rolloutTable(rollouts: readonly RolloutInfo[]): TextBlock {
  const rows = rollouts.map(({ id, version, channel, state, stalled, openStages, stages, tally, startedAt }) => [
    String(id),
    version,
    channel,
    stalled === undefined ? state : `${state}, stalled`,
    `${openStages} of ${stages.length}`,
    `${countText(tally.running)} of ${countText(tally.members)} updated, ${countText(tally.failed)} failed`,
    agoOf(startedAt),
  ]);
  return table([['id', 'version', 'channel', 'state', 'stages open', 'devices', 'started'], ...rows]);
}

/** Describes one rollout: its state, stages and history. */
export function describeRollout(rollout: RolloutInfo): readonly TextBlock[] {
  const events = rollout.history.map(({ at, event, by, byName, reason }) => [
    agoOf(at),
    event,
    byName ?? by,
    reason ?? '',
  ]);
  return [...describeProgress(rollout), table(events)];
}

/** Describes the progress of a rollout in one line. */
export function progressLine({ version, state, reason, openStages, stages, tally, waitingFor }: RolloutInfo): string {
  const { running, members } = tally;
  const why = reason ?? (waitingFor && `waiting for ${waitingFor}`);
  const counts = `${countText(running)} of ${countText(members)} updated${others(tally)}`;
  return `${version} ${state}: stage ${openStages} of ${stages.length}, ${counts}${why === undefined ? '' : `; ${why}`}`;
}

/** Describes the state and the stages of a rollout. */
export function describeProgress(rollout: RolloutInfo): readonly TextBlock[] {
  const { id, project, version, channel, previous, state, reason, waitingFor, openStages, stages } = rollout;
  const { unproven, stalled, finalAt, window, perHour } = rollout;
  const head = properties([
    ['rollout', `${id}: ${project} ${version} on ${channel}${previous === undefined ? '' : `, replacing ${previous}`}`],
    ['state', reason === undefined ? state : `${state}: ${reason}`],
    ...(waitingFor === undefined ? [] : [['waiting for', waitingFor]]),
    ...(stalled === undefined ? [] : [['stalled', `${agoOf(stalled.since)}: ${stalled.cause}`]]),
    ...(window === undefined ? [] : [['window', windowLine(window, rollout.isWindowOpen)]]),
    ...(perHour === undefined ? [] : [['per hour', `at most ${counted(perHour, 'update')}`]]),
    ...(unproven === undefined ? [] : [['unproven', `${unprovenText(unproven)}${listHint(rollout, 'unproven')}`]]),
    ...(finalAt === undefined ? [] : [['final', `numbers of ${finalAt}; later changes to devices are not included`]]),
    ...(state === 'halted' ? [['next', whatNext(project)]] : []),
    ...(rollout.hasDeviceLists ? [['devices', listsText(rollout)]] : []),
    ...(rollout.projectPassword ? [] : [['credentials', credentialText(rollout)]]),
  ]);
  const rows = stages.map(({ share, canaries, groups, tally }, index) => [
    `${index + 1}${index < openStages ? '' : ' (closed)'}`,
    [...(share > 0 ? [`${share}%`] : []), ...canaries, ...groups.map((name) => `group ${name}`)].join(', '),
    bar(tally),
    `${countText(tally.running)} of ${countText(tally.members)} updated${others(tally)}`,
  ]);
  return [head, table([['stage', 'devices', '', 'progress'], ...rows])];
}

/** Returns the options of `rollouts show` that list the devices behind the numbers. */
function listsText({ project, id, state, tally }: RolloutInfo): string {
  const command = `ota-hooks server rollouts show ${project} --id ${id}`;
  if (state === 'active') return `${command} --waiting`;
  const found = memberStatuses.filter((status) => tally[status] > 0);
  return found.length === 0 ? command : `${command} --status ${found.join('|')}`;
}

function listHint({ hasDeviceLists }: RolloutInfo, selection: MemberSelectionName): string {
  return hasDeviceLists ? `; list: --status ${selection}` : '';
}

/** Describes how many devices send reports that cannot be forged. */
function credentialText(rollout: RolloutInfo): string {
  const { members, withCredentials } = rollout.tally;
  const text = `${countText(withCredentials)} of ${counted(members, 'device')} authenticate`;
  return withCredentials === members ? text : `${text}${listHint(rollout, 'without-credentials')}`;
}

function windowLine({ from, to, timeZone }: NonNullable<RolloutInfo['window']>, isOpen: boolean): string {
  return `${from}-${to} ${timeZone} (${isOpen ? 'open now' : 'closed now: no update is sent'})`;
}

/** Describes the reports without credentials and their source addresses, because one client can send reports for many devices. */
function unprovenText({ devices, addresses, most }: UnprovenReports): string {
  const [first] = most;
  const reports = `${counted(devices, 'report')} without credentials`;
  if (addresses === 1) return `${reports}, all from ${first?.address ?? 'one address'}`;
  if (first === undefined) return `${reports}, from ${addresses} addresses`;
  return `${reports}, from ${addresses} addresses (${countText(first.devices)} from ${first.address})`;
}

/** Returns what a client on the network could do to this rollout; undefined if all of its devices have credentials. */
export function forgeryWarning({ project, tally, projectPassword }: RolloutInfo): string | undefined {
  const without = tally.members - tally.withCredentials;
  if (projectPassword || without === 0) return undefined;
  const which =
    without === tally.members
      ? 'no device in this rollout has'
      : `${without} of ${counted(tally.members, 'device')} ${without === 1 ? 'does' : 'do'} not have`;
  return `${which} credentials: anyone who can reach the server and knows the MACs of these devices can report on their behalf, which can complete or halt the rollout. Create credentials with \`ota-hooks server devices credentials ${project} --all\`.`;
}

function whatNext(project: string): string {
  return `check the failed devices (ota-hooks server devices list ${project} --failed), then run abort, rollback, or resume --accept-failures`;
}

const barWidth = 20;

/** Draws a bar that shows how many devices are updated, updating, failed and remaining. */
function bar({ members, running, updating, failed }: RolloutTally): string {
  if (members === 0) return '·'.repeat(barWidth);
  const cells = (count: number) => Math.round((count * barWidth) / members);
  const drawn =
    '█'.repeat(cells(running)) +
    '▒'.repeat(cells(updating)) +
    '×'.repeat(failed === 0 ? 0 : Math.max(1, cells(failed)));
  return drawn.slice(0, barWidth).padEnd(barWidth, '·');
}

function others({ pending, updating, failed, notConfirmed, blocked, undelivered }: RolloutTally): string {
  const parts = [
    ...(pending > 0 ? [`${countText(pending)} pending`] : []),
    ...(updating > 0 ? [`${countText(updating)} updating`] : []),
    ...(failed > 0
      ? [`${countText(failed)} failed${notConfirmed > 0 ? ` (${countText(notConfirmed)} not confirmed)` : ''}`]
      : []),
    ...(undelivered > 0 ? [`${countText(undelivered)} running it, not downloaded here`] : []),
    ...(blocked > 0 ? [`${countText(blocked)} cannot take it`] : []),
  ];
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}
