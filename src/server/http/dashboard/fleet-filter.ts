import { deviceStatuses } from '../../../api/admin-info.ts';
import { type MemberSelectionName, memberSelections, type RolloutInfo } from '../../../api/rollout-info.ts';
import { printableText } from '../../../core/model/unprintable.ts';
import type { MemberSelection } from '../../services/rollouts/member-selection.ts';
import { type DeviceFilter, deviceOrders, type SortedPage } from '../../storage/store.ts';
import { projectPath, withQuery } from './paths.ts';

/** Columns of the device list that can be chosen, besides the device itself. */
export const fleetColumns = [
  ...['status', 'version', 'seen'],
  ...['board', 'core', 'channel', 'group', 'labels', 'pin'],
] as const;
export type FleetColumn = 'status' | 'version' | 'seen' | 'board' | 'core' | 'channel' | 'group' | 'labels' | 'pin';
export const usualColumns: readonly FleetColumn[] = ['status', 'version', 'seen'];

/** Filter of the device list, as encoded in the page URL. */
export type FleetFilter = Omit<DeviceFilter, 'members' | 'releases' | 'notSeenSince' | 'name'> & {
  /** Version of the core with which the running release was built. */
  readonly core?: string | undefined;
  /** Number of days for which the devices were not seen. */
  readonly days?: number | undefined;
};

/** Filter, order, columns and page of the device list, as encoded in the page URL. */
export interface FleetQuery {
  readonly filter: FleetFilter;
  /** Devices of a rollout to which the list is limited. */
  readonly members?: RolloutMembers | undefined;
  /** Undefined for the order of the MACs. */
  readonly sort?: Pick<SortedPage, 'by' | 'isDescending'> | undefined;
  /** Undefined for the usual columns. */
  readonly columns?: readonly FleetColumn[] | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  /** Page of a sorted list; the first page is 1. */
  readonly page?: number | undefined;
}

export interface RolloutMembers extends MemberSelection {
  /** Rollout ID. */
  readonly rollout: number;
}

const longestText = 64;
const mostDays = 36_500;

/** Reads the view from the query string. Invalid values are ignored. */
export function readFleetQuery(query: (name: string) => readonly string[] | undefined): FleetQuery {
  const first = (name: string) => query(name)?.[0];
  const text = (name: string) => {
    const value = first(name)?.trim().slice(0, longestText) ?? '';
    return value === '' || !printableText.test(value) ? undefined : value;
  };
  const status = deviceStatuses.find((known) => known === first('state'));
  const days = numberIn(first('days'));
  const columns = fleetColumns.filter((column): column is FleetColumn => query('column')?.includes(column) ?? false);
  return {
    filter: {
      ...{ text: text('q'), status, runs: text('runs'), group: text('group'), label: text('label') },
      ...{ board: text('board'), core: text('core'), channel: text('channel') },
      days: days !== undefined && days >= 1 && days <= mostDays ? days : undefined,
    },
    members: membersIn(first),
    sort: sortIn(first('sort')),
    columns: columns.length === 0 ? undefined : columns,
    after: text('after'),
    before: text('before'),
    page: Math.max(1, Math.min(numberIn(first('page')) ?? 1, 1_000_000)),
  };
}

function numberIn(text = ''): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Reads an order such as `name`, or `-name` for the reverse. */
function sortIn(text = ''): FleetQuery['sort'] {
  const by = deviceOrders.find((known) => known === text.replace(/^-/, ''));
  const isDescending = text.startsWith('-');
  return by === undefined || (by === 'mac' && !isDescending) ? undefined : { by, isDescending };
}

function membersIn(first: (name: string) => string | undefined): RolloutMembers | undefined {
  // The form offers the stages of the rollouts in progress as `ROLLOUT.STAGE`.
  const [, ofRollout, ofStage] = /^(\d{1,15})\.(\d{1,3})$/.exec(first('in') ?? '') ?? [];
  const rollout = numberIn(ofRollout) ?? numberIn(first('rollout'));
  const status = memberSelections.find((known) => known === first('progress'));
  return rollout === undefined ? undefined : { rollout, stage: numberIn(ofStage) ?? numberIn(first('stage')), status };
}

/** Returns the parameters in the URL of a view. */
export function fleetParameters({ filter, members, sort, columns, after, before, page }: FleetQuery) {
  const { text, status, runs, group, label, board, core, channel, days } = filter;
  return {
    ...{ q: text, state: status, runs, group, label, board, core, channel, days: days?.toString() },
    ...memberParameters(members),
    sort: sort && `${sort.isDescending ? '-' : ''}${sort.by}`,
    column: columns,
    ...{ after, before, page: page === undefined || page === 1 ? undefined : String(page) },
  };
}

/** Returns the URL path of a view. */
export function fleetPath(project: string, view: FleetQuery, place = projectPath(project, 'devices')): string {
  return withQuery(place, fleetParameters(view));
}

/** Returns the parameters in the URL that limit the list to devices of a rollout. */
function memberParameters(members: RolloutMembers | undefined): Readonly<Record<string, string | undefined>> {
  return { rollout: members?.rollout.toString(), stage: members?.stage?.toString(), progress: members?.status };
}

/** Returns the path of the list of the devices in a selection; undefined for all devices. */
export type ListPath = (selection: MemberSelectionName | undefined) => string;

/** Returns the path of the list of a rollout's devices. */
export function membersPath(project: string, members: RolloutMembers): string {
  return fleetPath(project, { filter: {}, members });
}

export function isFiltered(filter: FleetFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/** Returns the paths of the lists of a rollout's devices, by selection; undefined if its devices cannot be listed. */
export function listPath(rollout: RolloutInfo, stage?: number): ListPath | undefined {
  const { id, project, hasDeviceLists } = rollout;
  if (!hasDeviceLists) return undefined;
  return (status) => membersPath(project, { rollout: id, stage, status });
}
