import type { ProjectRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import type { ServedClock } from '../rollouts/service-clock.ts';
import { type ProjectView, readProjectView } from './project-view.ts';

/** Project and channel served at a device path other than /update/PROJECT. */
export interface Alias {
  readonly project: string;
  readonly channel: string;
}

/**
 * Views of all projects. Each process has its own catalog. A view is used for a decision only after its revision was compared with the
 * revision in the database.
 */
export class Catalog {
  readonly #store: Pick<Store, 'catalog' | 'rollouts'>;
  readonly #clock: Pick<ServedClock, 'atLeast'>;
  readonly #views = new Map<string, ProjectView>();
  readonly #reads = new Map<string, Promise<ProjectView | undefined>>();
  readonly #nextReads = new Map<string, Promise<ProjectView | undefined>>();
  #aliases: ReadonlyMap<string, readonly Alias[]> = new Map();

  private constructor(store: Pick<Store, 'catalog' | 'rollouts'>, clock: Pick<ServedClock, 'atLeast'>) {
    this.#store = store;
    this.#clock = clock;
  }

  static async open(store: Pick<Store, 'catalog' | 'rollouts'>, clock: Pick<ServedClock, 'atLeast'>): Promise<Catalog> {
    const catalog = new Catalog(store, clock);
    await catalog.update();
    return catalog;
  }

  /** Returns the newest view in this process, which is at most a second old. `latest` and `at` return the view as stored now. */
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

  /** Returns the view at a revision that was just read from the database, or at a newer one. */
  at(project: string, revision: number): ProjectView | Promise<ProjectView | undefined> {
    const known = this.#views.get(project);
    return known?.revision === revision ? known : this.refresh(project);
  }

  /** Returns the view as stored now. */
  async latest(project: string): Promise<ProjectView | undefined> {
    await this.update();
    return this.#views.get(project);
  }

  /** Reads the revisions of all projects, and the views of new and changed projects. */
  async update(): Promise<void> {
    const revisions = await this.#store.catalog.revisions();
    for (const [project, revision] of revisions) await this.at(project, revision);
  }

  /** Reads a view that is at least as new as this call. Calls at the same time share a read. */
  refresh(project: string): Promise<ProjectView | undefined> {
    const planned = this.#nextReads.get(project);
    if (planned !== undefined) return planned;
    const current = this.#reads.get(project);
    if (current === undefined) return this.#read(project);
    const read = () => {
      this.#nextReads.delete(project);
      return this.#read(project);
    };
    const next = current.then(read, read);
    this.#nextReads.set(project, next);
    return next;
  }

  #read(project: string): Promise<ProjectView | undefined> {
    const read = readProjectView(this.#store, project)
      .then((view) => {
        if (view !== undefined) this.#show(view);
        return view;
      })
      .finally(() => this.#reads.delete(project));
    this.#reads.set(project, read);
    return read;
  }

  #show(view: ProjectView): void {
    // Downloads of a rollout must not appear to be older than the rollout, which another process may have started.
    for (const { startedMs } of view.rollouts) this.#clock.atLeast(startedMs);
    this.#views.set(view.project.name, view);
    this.#aliases = aliasesByPath(this.views().map(({ project }) => project));
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
