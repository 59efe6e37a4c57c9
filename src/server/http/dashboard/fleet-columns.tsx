import type { Child } from 'hono/jsx';
import { unknownLastSeen } from '../../../api/admin-info.ts';
import type { MemberInfo } from '../../services/rollouts/member-info.ts';
import { deviceStatus } from '../../storage/device-status.ts';
import type { SeenDevice } from '../../storage/records.ts';
import type { FleetColumn } from './fleet-filter.ts';
import { Sentence, Version } from './identifiers.tsx';
import { MemberBadge } from './member-badge.tsx';
import { reasonOf } from './reason.ts';
import { StatusBadge } from './status-badge.tsx';
import { When } from './when.tsx';

export const columnWords: Readonly<Record<FleetColumn, string>> = {
  status: 'Status',
  version: 'Version',
  seen: 'Last seen',
  board: 'Board',
  core: 'Core',
  channel: 'Channel',
  group: 'Group',
  labels: 'Labels',
  pin: 'Pinned to',
};

/** Properties of the list that the cells of all devices need. */
export interface CellContext {
  /** Descriptions by MAC, if the devices are those of a rollout. */
  readonly described: ReadonlyMap<string, MemberInfo> | undefined;
  /** Versions of the core, by release ID. */
  readonly cores: ReadonlyMap<number, string>;
}

/** Returns the content of a cell; undefined if the device has no such value. */
export function fleetCell(column: FleetColumn, device: SeenDevice, { described, cores }: CellContext): Child {
  const { record, lastSeenAt } = device;
  const member = described?.get(record.mac);
  switch (column) {
    case 'status':
      return member === undefined ? <Status {...device} /> : <MemberStatusOf {...member} />;
    case 'version':
      return word(record.running?.version);
    case 'seen':
      return lastSeenAt && <When at={lastSeenAt} toMinute />;
    case 'core':
      return word(coreOf(device, cores));
    case 'board':
      return word(record.board ?? record.shownBoard);
    case 'channel':
      return word(channelText(device));
    case 'labels':
      return record.labels?.join(', ');
    case 'pin':
      return word(record.pin);
    case 'group':
      return word(record.group);
  }
}

function word(text: string | undefined): Child {
  return text && <Version version={text} />;
}

export function coreOf({ record }: SeenDevice, cores: CellContext['cores']): string | undefined {
  return record.running?.releaseId === undefined ? undefined : cores.get(record.running.releaseId);
}

export function channelText({ record: { channel, requestedChannels } }: SeenDevice): string | undefined {
  return channel ?? requestedChannels?.join(', ');
}

/** Text for a cell without a value. */
export function emptyCell(column: FleetColumn, { record }: SeenDevice): string {
  if (column === 'seen') return unknownLastSeen(record.firstSeenAt);
  return column === 'version' ? 'unknown' : '–';
}

function Status({ record }: SeenDevice) {
  return (
    <>
      <StatusBadge status={deviceStatus(record)} />
      <span class="reason">
        <Sentence text={reasonOf(record)} />
      </span>
    </>
  );
}

function MemberStatusOf({ stage, status, reason, fix }: MemberInfo) {
  return (
    <>
      <MemberBadge status={status} /> <span class="quiet">{`stage ${stage}`}</span>
      <span class="reason">
        <Sentence text={fix === undefined ? reason : `${reason} Fix: ${fix}.`} />
      </span>
    </>
  );
}
