import { deviceStatuses } from '../../api/admin-info.ts';
import type { RolloutState } from '../../api/rollout.ts';
import type { RolloutTally } from '../../api/rollout-info.ts';
import type { BlockerCount, StatusCount, Store, VersionCount } from '../storage/store.ts';
import type { Catalog } from './releases/catalog.ts';
import { finalOrCurrent } from './rollouts/result.ts';
import { sumOf } from './rollouts/tally.ts';

/** State of a project's devices and rollouts, from kept counts. Its size is limited, because each entry becomes a series in Prometheus. */
export interface FleetCounts {
  readonly project: string;
  /** Devices by status, for every status. */
  readonly statuses: readonly StatusCount[];
  /** Devices by the release that they run. `otherVersion` stands for all others. */
  readonly versions: readonly VersionCount[];
  /** Devices by what blocks them: the ID of a preflight rule, or `board-unknown`. A device may be blocked by several rules. */
  readonly blockers: readonly { readonly blocker: string; readonly devices: number }[];
  readonly rollouts: readonly RolloutCounts[];
}

/** State and progress of the newest rollout on a channel. */
export interface RolloutCounts {
  readonly channel: string;
  readonly version: string;
  readonly state: RolloutState;
  readonly stages: number;
  readonly openStages: number;
  readonly isStalled: boolean;
  readonly devices: Readonly<Record<(typeof memberStates)[number], number>>;
}

export const memberStates = [
  'pending',
  'blocked',
  'updating',
  'running',
  'failed',
] as const satisfies readonly (keyof RolloutTally)[];

/** Stands for versions without a release, for unrecognized builds, and for the versions beyond the limit. */
const otherVersion = 'other';

/**
 * Maximum number of versions, rollouts and blockers of a project. A rollout has 14 series, so that a project has at most 995 series,
 * which includes 6 for the statuses and 2 for others.
 */
const mostVersions = 480;
const mostRollouts = 32;
const mostBlockers = 58;

/**
 * Reads the state of all projects, or of one.
 *
 * @throws StoreUnavailableError
 */
export async function readFleetCounts(
  { store, catalog }: { readonly store: Pick<Store, 'devices' | 'rollouts'>; readonly catalog: Pick<Catalog, 'views'> },
  only?: string,
): Promise<readonly FleetCounts[]> {
  const states: FleetCounts[] = [];
  for (const view of catalog.views()) {
    const { name } = view.project;
    if (only !== undefined && name !== only) continue;
    const counted = await store.devices.countStatuses(name);
    const known = await store.devices.countVersions(name, mostVersions);
    const other = totalOf(counted) - totalOf(known);
    const rollouts = [...view.rollouts].sort((a, b) => b.id - a.id).slice(0, mostRollouts);
    states.push({
      project: name,
      statuses: deviceStatuses.map((status) => ({
        status,
        devices: counted.find((count) => count.status === status)?.devices ?? 0,
      })),
      versions: other > 0 ? summed([...known, { version: otherVersion, devices: other }]) : known,
      blockers: byBlocker(await store.devices.countBlockers(name)),
      rollouts: await Promise.all(
        rollouts.map(async (rollout) => {
          const { channel, version, state, stages, openStages, stalled } = rollout;
          const devices = sumOf(finalOrCurrent(rollout, await store.rollouts.counts(rollout.id)));
          return {
            channel,
            version,
            state,
            stages: stages.length,
            openStages,
            isStalled: stalled !== undefined,
            devices,
          };
        }),
      ),
    });
  }
  return states;
}

function totalOf(counts: readonly { readonly devices: number }[]): number {
  return counts.reduce((sum, { devices }) => sum + devices, 0);
}

/** Adds up the counts of each version, because a release may have the version `other`. */
function summed(counts: readonly VersionCount[]): readonly VersionCount[] {
  const sums = new Map<string, number>();
  for (const { version, devices } of counts) sums.set(version, (sums.get(version) ?? 0) + devices);
  return [...sums].map(([version, devices]) => ({ version, devices }));
}

function byBlocker(counts: readonly BlockerCount[]): FleetCounts['blockers'] {
  const sums = new Map<string, number>();
  for (const { blockers, devices } of counts) {
    for (const blocker of blockers) sums.set(blocker, (sums.get(blocker) ?? 0) + devices);
  }
  const sorted = [...sums].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, mostBlockers).map(([blocker, devices]) => ({ blocker, devices }));
}
