import { deviceStatuses } from '../../../api/admin-info.ts';
import { printableText } from '../../../core/model/unprintable.ts';
import type { DeviceFilter } from '../../storage/store.ts';
import { projectPath, withQuery } from './paths.ts';

/** Filter and page of the device list, as encoded in the page URL. */
export interface FleetQuery {
  readonly filter: DeviceFilter;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
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
    after: text('after'),
    before: text('before'),
  };
}

/** Returns the URL path of a view. */
export function fleetPath(project: string, { filter, after, before }: FleetQuery): string {
  const { text, status, runs, group } = filter;
  return withQuery(projectPath(project, 'devices'), { q: text, state: status, runs, group, after, before });
}

export function isFiltered(filter: DeviceFilter): boolean {
  return Object.values(filter).some((value) => value !== undefined);
}
