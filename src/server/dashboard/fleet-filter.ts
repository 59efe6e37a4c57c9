import { standings } from '../store/standing.ts';
import type { DeviceFilter } from '../store/store.ts';
import { projectPath, withQuery } from './paths.ts';

/** What of a fleet is looked at, as the address of the page says it. */
export interface FleetView {
  readonly filter: DeviceFilter;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

const longestText = 64;

/** Whatever is nonsense counts as not given. */
export function readFleetView(query: (name: string) => string | undefined): FleetView {
  const text = (name: string) => query(name)?.trim().slice(0, longestText) || undefined;
  const standing = standings.find((known) => known === query('state'));
  return { filter: { text: text('q'), standing, runs: text('runs') }, after: text('after'), before: text('before') };
}

/** The address of what is looked at. */
export function fleetPath(project: string, { filter, after, before }: FleetView): string {
  const { text, standing, runs } = filter;
  return withQuery(projectPath(project, 'devices'), { q: text, state: standing, runs, after, before });
}

export function isFiltered({ text, standing, runs }: DeviceFilter): boolean {
  return text !== undefined || standing !== undefined || runs !== undefined;
}
