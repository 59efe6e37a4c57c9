import type { ProjectRecord, ReleaseRecord, RolloutRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import type { Releases } from '../devices/decide.ts';
import type { RolloutView } from '../rollouts/admission.ts';

/** State of a project for update checks. It is read again when the project changes; each state is a new object. */
export interface ProjectView {
  readonly project: ProjectRecord;
  /** By channel; channels without a current release and without a rollout are absent. */
  readonly channels: ReadonlyMap<string, Releases>;
}

/** Target of a device path other than /update/PROJECT. */
export interface Alias {
  readonly project: string;
  readonly channel: string;
}

const mostReleasesLookedAt = 32;
/** Limit for each board; the planner tries all paths through them. */
const mostIntermediateReleases = 4;

/** Releases and rollouts in memory: the cost of an update check must not grow with the fleet or the number of releases. */
export class Catalog {
  readonly #store: Store;
  readonly #views = new Map<string, ProjectView>();
  #aliases: ReadonlyMap<string, Alias> = new Map();

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

  alias(path: string): Alias | undefined {
    return this.#aliases.get(path);
  }

  /** Reloads one project or all. Must be called after every change and before it is acknowledged, so that the next update check sees it. */
  async refresh(only?: string): Promise<void> {
    for (const project of await this.#store.catalog.projects()) {
      if (only !== undefined && project.name !== only) continue;
      const channels = await this.#channels(project.name);
      this.#views.set(project.name, { project, channels: this.#withLiveRollouts(project.name, channels) });
    }
    this.#aliases = new Map(
      this.views().flatMap(({ project }) =>
        project.aliases.map(({ path, channel }) => [path, { project: project.name, channel }] as const),
      ),
    );
  }

  /** Replaces the rollout of its channel immediately, so that the next update check uses it. */
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

  /** Returns the newest rollout of each channel. */
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

  /** Keeps rollouts from memory: they may be newer than the store and than what was just read, and a halt must not be lost. */
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

/** Selects the newest sketch of each core for each board: the capabilities of its core decide what it can be used for. */
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
