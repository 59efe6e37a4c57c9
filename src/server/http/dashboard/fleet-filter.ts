import { deviceStatuses } from '../../../api/admin-info.ts';
import { type MemberSelectionName, memberSelections, type RolloutInfo } from '../../../api/rollout-info.ts';
import { printableText } from '../../../core/model/unprintable.ts';
import type { MemberSelection } from '../../services/rollouts/member-selection.ts';
import type { DeviceFilter } from '../../storage/store.ts';
import { projectPath, withQuery } from './paths.ts';

/** Filter and page of the device list, as encoded in the page URL. */
export interface FleetQuery {
  readonly filter: DeviceFilter;
  /** Devices of a rollout to which the list is limited. */
  readonly members?: RolloutMembers | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

export interface RolloutMembers extends MemberSelection {
  /** Rollout ID. */
  readonly rollout: number;
}

const longestText = 64;

/** Reads the view from the query string. Invalid values are ignored. */
export function readFleetQuery(query: (name: string) => string | undefined): FleetQuery {
  const text = (name: string) => {
    const value = query(name)?.trim().slice(0, longestText) ?? '';
    return value === '' || !printableText.test(value) ? undefined : value;
  };
  const status = deviceStatuses.find((known) => known === query('state'));
  return {
    filter: { text: text('q'), status, runs: text('runs'), group: text('group') },
    members: membersIn(query),
    after: text('after'),
    before: text('before'),
  };
}

function membersIn(query: (name: string) => string | undefined): RolloutMembers | undefined {
  const number = (name: string) => {
    const value = query(name) ?? '';
    return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
  };
  const rollout = number('rollout');
  const status = memberSelections.find((known) => known === query('progress'));
  return rollout === undefined ? undefined : { rollout, stage: number('stage'), status };
}

/** Returns the URL path of a view. */
export function fleetPath(project: string, { filter, members, after, before }: FleetQuery): string {
  const { text, status, runs, group } = filter;
  const parameters = { q: text, state: status, runs, group, ...memberParameters(members), after, before };
  return withQuery(projectPath(project, 'devices'), parameters);
}

/** Returns the parameters in the URL that limit the list to devices of a rollout. */
export function memberParameters(members: RolloutMembers | undefined): Readonly<Record<string, string | undefined>> {
  return { rollout: members?.rollout.toString(), stage: members?.stage?.toString(), progress: members?.status };
}

/** Returns the path of the list of the devices in a selection; undefined for all devices. */
export type ListPath = (selection: MemberSelectionName | undefined) => string;

/** Returns the path of the list of a rollout's devices. */
export function membersPath(project: string, members: RolloutMembers): string {
  return fleetPath(project, { filter: {}, members });
}

export function isFiltered(filter: DeviceFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}

/** Returns the paths of the lists of a rollout's devices, by selection; undefined if its devices cannot be listed. */
export function listPath(rollout: RolloutInfo, stage?: number): ListPath | undefined {
  const { id, project, hasDeviceLists } = rollout;
  if (!hasDeviceLists) return undefined;
  return (status) => membersPath(project, { rollout: id, stage, status });
}
