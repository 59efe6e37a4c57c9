import type { ProjectRecord, ReleaseRecord, RolloutRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import type { Releases } from '../devices/decide.ts';
import type { RolloutView } from '../rollouts/admission.ts';

/** Project state for update checks. The state is reloaded when the project changes. Every state is a new object. */
export interface ProjectView {
  readonly project: ProjectRecord;
  /** Releases by channel name. Channels with neither a current release nor a rollout are absent. */
  readonly channels: ReadonlyMap<string, Releases>;
}

/** Project and channel served at a device path other than /update/PROJECT. */
export interface Alias {
  readonly project: string;
  readonly channel: string;
}

const mostReleasesLookedAt = 32;
/** Maximum number of intermediate releases per board. The limit is low, because the planner tries every path through these releases. */
const mostIntermediateReleases = 4;

/** Releases and rollouts, kept in memory so that the cost of an update check does not grow with the fleet or the number of releases. */
export class Catalog {
  readonly #store: Store;
  readonly #views = new Map<string, ProjectView>();
  #aliases: ReadonlyMap<string, readonly Alias[]> = new Map();

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(store: Store): Promise<Catalog> {
    const catalog = new Catalog(store);
    await catalog.refresh();
    return catalog;
  }

  view(project: string): ProjectView | undefined {
    return this.#views.get(project);
  }

  views(): ProjectView[] {
    return [...this.#views.values()];
  }

  /** Returns the projects that have this alias, each with its channel. */
  aliases(path: string): readonly Alias[] {
    return this.#aliases.get(path) ?? [];
  }

  /** Returns the aliases of a project that other projects share. */
  sharedAliases(project: string): readonly string[] {
    const own = this.#views.get(project)?.project.aliases ?? [];
    return [...new Set(own.map(({ path }) => path))].filter((path) => this.aliases(path).length > 1);
  }

  /**
   * Reloads one project or all projects. Call this method after every change and before the change is acknowledged, so that the next update
   * check sees the change.
   */
  async refresh(only?: string): Promise<void> {
    for (const { project } of await this.#store.catalog.projects()) {
      if (only !== undefined && project.name !== only) continue;
      const channels = await this.#channels(project.name);
      this.#views.set(project.name, { project, channels: this.#withLiveRollouts(project.name, channels) });
    }
    this.#aliases = aliasesByPath(this.views().map(({ project }) => project));
  }

  /** Replaces a rollout immediately, so that the next update check on its channel uses the new state. */
  replaceRollout(rollout: RolloutRecord): void {
    const view = this.#views.get(rollout.project);
    const releases = view?.channels.get(rollout.channel);
    if (view === undefined || releases?.rollout?.rollout.id !== rollout.id) return;
    const channels = new Map(view.channels);
    channels.set(rollout.channel, { ...releases, rollout: { ...releases.rollout, rollout } });
    this.#views.set(rollout.project, { ...view, channels });
  }

  async #channels(project: string): Promise<ReadonlyMap<string, Releases>> {
    const currentReleases = await this.#store.catalog.currentReleases(project);
    const rollouts = await this.#rollouts(project);
    const channels = new Map<string, Releases>();
    for (const channel of new Set([...currentReleases.map((entry) => entry.channel), ...rollouts.keys()])) {
      const before = await this.#store.catalog.promotedBefore(project, channel, mostReleasesLookedAt);
      channels.set(channel, {
        current: currentReleases.filter((entry) => entry.channel === channel).map(({ release }) => release),
        intermediateReleases: newestOfEachCore(before),
        rollout: rollouts.get(channel),
      });
    }
    return channels;
  }

  /** Returns the newest rollout on each channel. */
  async #rollouts(project: string): Promise<ReadonlyMap<string, RolloutView>> {
    const views = new Map<string, RolloutView>();
    for (const rollout of await this.#store.rollouts.current()) {
      if (rollout.project !== project) continue;
      const found = await this.#store.catalog.withVersion(project, rollout.version);
      const releases = found.filter(({ id }) => rollout.releaseIds.includes(id));
      views.set(rollout.channel, { rollout, releases });
    }
    return views;
  }

  /** Keeps the rollouts that are in memory. They may be newer than the stored rollouts, and a halt must not be lost. */
  #withLiveRollouts(project: string, read: ReadonlyMap<string, Releases>): ReadonlyMap<string, Releases> {
    const before = this.#views.get(project)?.channels;
    return new Map(
      [...read].map(([channel, releases]) => {
        const known = before?.get(channel)?.rollout?.rollout;
        const isSame = releases.rollout !== undefined && known?.id === releases.rollout.rollout.id;
        return [channel, isSame ? { ...releases, rollout: { ...releases.rollout, rollout: known } } : releases];
      }),
    );
  }
}

/** Groups the aliases of all projects by path. If a project has a path twice, the last channel counts. */
function aliasesByPath(projects: readonly ProjectRecord[]): ReadonlyMap<string, readonly Alias[]> {
  const found = new Map<string, readonly Alias[]>();
  for (const { name, aliases } of projects) {
    for (const { path, channel } of aliases) {
      const others = found.get(path)?.filter(({ project }) => project !== name) ?? [];
      found.set(path, [...others, { project: name, channel }]);
    }
  }
  return found;
}

/** Selects, for each board, the newest sketch of each core version, because the core determines which updates a sketch can install. */
function newestOfEachCore(before: readonly ReleaseRecord[]): readonly ReleaseRecord[] {
  const chosen: ReleaseRecord[] = [];
  for (const release of before) {
    if (release.kind !== 'sketch') continue;
    const ofBoard = chosen.filter(({ board }) => board === release.board);
    const isNew = !ofBoard.some(({ manifest }) => manifest.image.core === release.manifest.image.core);
    if (isNew && ofBoard.length < mostIntermediateReleases) chosen.push(release);
  }
  return chosen;
}
