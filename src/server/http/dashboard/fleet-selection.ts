import type { ServerParts } from '../../parts.ts';
import { findMembers } from '../../services/rollouts/member-lists.ts';
import type { SelectedMembers } from '../../services/rollouts/member-selection.ts';
import type { DeviceCount, DeviceFilter } from '../../storage/store.ts';
import type { FleetQuery } from './fleet-filter.ts';

const dayMs = 86_400_000;
/** Number of versions whose releases are looked up: the view of a project keeps as many. */
const mostVersions = 1000;

/** Properties of the releases that devices run. Devices that run a yanked release or a reference build have no core here. */
export interface RunningReleases {
  /** Versions of the core, by release ID. */
  readonly cores: ReadonlyMap<number, string>;
  readonly boards: readonly string[];
}

/** Returns the releases that the devices of a project run. */
export async function runningReleases(
  { catalog }: Pick<ServerParts, 'catalog'>,
  project: string,
  tally: readonly DeviceCount[],
): Promise<RunningReleases> {
  const view = catalog.view(project);
  const counts = new Map<string, number>();
  for (const { runs, devices } of tally) if (runs !== undefined) counts.set(runs, (counts.get(runs) ?? 0) + devices);
  const versions = [...counts].sort(([, a], [, b]) => b - a).slice(0, mostVersions);
  const cores = new Map<number, string>();
  const boards = new Set<string>();
  for (const [version] of versions) {
    for (const { id, board, manifest } of (await view?.withVersion(version)) ?? []) {
      if (manifest.image.core !== undefined) cores.set(id, manifest.image.core);
      if (board !== '') boards.add(board);
    }
  }
  return { cores, boards: [...boards].sort() };
}

/** Devices that a view selects. */
export interface FleetSelection {
  readonly filter: DeviceFilter;
  /** Undefined if the view is not limited to a rollout, or the rollout has ended. */
  readonly selected: SelectedMembers | undefined;
}

/** Returns the filter of a view as the store understands it. */
export async function selectFleet(
  parts: ServerParts,
  project: string,
  { filter: { core, days, ...filter }, members }: FleetQuery,
  { cores }: RunningReleases,
): Promise<FleetSelection> {
  const selected = members && (await findMembers(parts, project, members.rollout, members));
  const releases = core === undefined ? undefined : [...cores].flatMap(([id, each]) => (each === core ? [id] : []));
  const notSeenSince = days === undefined ? undefined : parts.clock.now().wallMs - days * dayMs;
  return { filter: { ...filter, releases, notSeenSince, members: selected?.filter }, selected };
}
