import { LRUCache } from 'lru-cache';
import type { ProjectRecord, Recognized, ReleaseRecord, RolloutRecord } from '../../storage/records.ts';
import type { Store, StoredProject } from '../../storage/store.ts';
import type { Releases } from '../devices/decide.ts';
import type { RolloutView } from '../rollouts/admission.ts';

/** Immutable state of a project at one revision, as used by update checks. Every change to the project leads to a new view. */
export interface ProjectView {
  readonly project: ProjectRecord;
  /** Revision of the project in the database. A device record that is saved with this revision is rejected if the project has changed. */
  readonly revision: number;
  /** Releases by channel name. Channels with neither a current release nor a rollout are absent. */
  readonly channels: ReadonlyMap<string, Releases>;
  /** Newest rollout on each channel. The store counts the devices of these rollouts. */
  readonly rollouts: readonly RolloutRecord[];
  /** Returns the builds with this sketch MD5; see `CatalogStore.recognize`. */
  recognize(sketchMd5: string): readonly Recognized[] | Promise<readonly Recognized[]>;
  /** Returns the available releases of a version; see `CatalogStore.withVersion`. */
  withVersion(version: string): readonly ReleaseRecord[] | Promise<readonly ReleaseRecord[]>;
}

type Source = Pick<Store, 'catalog' | 'rollouts'>;

export const mostReleasesLookedAt = 32;
/** Maximum number of intermediate releases per board and key. The limit is low, because the planner tries every path through these releases. */
const mostIntermediateReleases = 4;
/** Number of sketch MD5s and of versions that a view remembers. Devices may report any number of MD5s. */
const mostLookUps = 1000;

/** Reads the state of a project. Reads again if the project changed in the meantime, so that all parts have the same revision. */
export async function readProjectView(store: Source, name: string): Promise<ProjectView | undefined> {
  let stored = await store.catalog.project(name);
  while (stored !== undefined) {
    const view = await readView(store, stored);
    const after = await store.catalog.project(name);
    if (after?.revision === stored.revision) return view;
    stored = after;
  }
  return undefined;
}

async function readView(store: Source, { project, revision }: StoredProject): Promise<ProjectView> {
  const rollouts = await store.rollouts.current(project.name);
  return {
    project,
    revision,
    channels: await channelsOf(store, project.name, rollouts),
    rollouts,
    recognize: remembered((sketchMd5) => store.catalog.recognize(project.name, sketchMd5)),
    withVersion: remembered((version) => store.catalog.withVersion(project.name, version)),
  };
}

async function channelsOf(
  { catalog }: Source,
  project: string,
  rollouts: readonly RolloutRecord[],
): Promise<ReadonlyMap<string, Releases>> {
  const currentReleases = await catalog.currentReleases(project);
  const views = new Map<string, RolloutView>();
  for (const rollout of rollouts) {
    const found = await catalog.withVersion(project, rollout.version);
    views.set(rollout.channel, { rollout, releases: found.filter(({ id }) => rollout.releaseIds.includes(id)) });
  }
  const channels = new Map<string, Releases>();
  for (const channel of new Set([...currentReleases.map((entry) => entry.channel), ...views.keys()])) {
    const before = await catalog.promotedBefore(project, channel, mostReleasesLookedAt);
    channels.set(channel, {
      current: currentReleases.filter((entry) => entry.channel === channel).map(({ release }) => release),
      intermediateReleases: intermediatesOf(before, await catalog.hops(project, channel)),
      rollout: views.get(channel),
    });
  }
  return channels;
}

/**
 * Selects the intermediate releases of a channel: for each board and key, the newest sketch of each core version, because the core determines
 * which updates a sketch can install; and the newest hop between each pair of keys, however old it is, because a device may need each of them.
 *
 * @param before releases that the channel has served, newest first
 * @param hops all hops that the channel has served, newest first
 */
export function intermediatesOf<Candidate extends Pick<ReleaseRecord, 'kind' | 'board' | 'manifest'>>(
  before: readonly Candidate[],
  hops: readonly Candidate[],
): readonly Candidate[] {
  const chosen = new Map<string, Candidate>();
  const counts = new Map<string, number>();
  for (const release of before) {
    const { board, manifest } = release;
    const { publicKey, previousKey } = manifest.signing;
    const ofKey = JSON.stringify([board, publicKey?.fingerprint]);
    const place = JSON.stringify([ofKey, manifest.image.core]);
    const count = counts.get(ofKey) ?? 0;
    if (release.kind !== 'sketch' || previousKey !== undefined || chosen.has(place)) continue;
    if (count >= mostIntermediateReleases) continue;
    counts.set(ofKey, count + 1);
    chosen.set(place, release);
  }
  for (const hop of hops) {
    const { publicKey, previousKey } = hop.manifest.signing;
    const place = JSON.stringify([hop.board, previousKey?.fingerprint, publicKey?.fingerprint]);
    if (hop.kind === 'sketch' && !chosen.has(place)) chosen.set(place, hop);
  }
  return [...chosen.values()];
}

/** Returns a function that looks up each key once. A failed look-up is repeated. */
function remembered<Result extends object>(
  lookUp: (key: string) => Promise<Result>,
): (key: string) => Result | Promise<Result> {
  const results = new LRUCache<string, Result>({ max: mostLookUps });
  const lookUpNow = async (key: string) => {
    const result = await lookUp(key);
    results.set(key, result);
    return result;
  };
  return (key) => results.get(key) ?? lookUpNow(key);
}
