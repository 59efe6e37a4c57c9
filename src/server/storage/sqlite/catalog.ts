import { flashModes } from '../../../core/firmware/flash-header.ts';
import { documentSchemas } from '../document-schemas.ts';
import type { CurrentRelease, ProjectRecord, ReleaseRecord } from '../records.ts';
import { hasSameBytes, isPromotable } from '../release-record.ts';
import type { CatalogStore, NewRelease, PublicationResult, StoredProject } from '../store.ts';
import { writeAudit } from './audit.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';
import { writeCurrent } from './current-releases.ts';
import type { KnownBuilds } from './known-builds.ts';
import type { ProjectIds } from './project-ids.ts';
import type { ReleaseReader } from './releases.ts';
import { storedJson } from './stored-json.ts';

export function sqliteCatalog(
  connection: Connection,
  committer: Committer,
  projectIds: ProjectIds,
  releases: ReleaseReader,
  knownBuilds: KnownBuilds,
): CatalogStore {
  const { db } = connection;

  function writeProject({ name, ...settings }: ProjectRecord): void {
    const doc = JSON.stringify(settings);
    const changed = connection.run(db.updateTable('projects').set({ doc }).where('name', '=', name));
    if (changed === 0) connection.insert(db.insertInto('projects').values({ name, doc }));
  }

  function projectIdOf(name: string): number {
    // Bypasses the ID cache, because this transaction may still be rolled back.
    return connection.first(db.selectFrom('projects').select('id').where('name', '=', name))?.id ?? 0;
  }

  function wasPromotedOn(projectId: number, channel: string, releaseId: number): boolean {
    const query = db
      .selectFrom('promotions')
      .select('id')
      .where('project_id', '=', projectId)
      .where('channel', '=', channel)
      .where('release_id', '=', releaseId)
      .limit(1);
    return connection.first(query) !== undefined;
  }

  /** Returns whether publishing promotes a release: false for a yanked release, and for a release that the channel has served before. */
  function isNewOn({ id, project, yanked }: ReleaseRecord, channel: string | undefined): boolean {
    return channel !== undefined && yanked === undefined && !wasPromotedOn(projectIdOf(project), channel, id);
  }

  function writeRelease(projectId: number, { release, isTrusted }: NewRelease, referenceImage: string): ReleaseRecord {
    const { sketchMd5s, ...image } = release.manifest.image;
    const manifest = { ...release.manifest, image: { ...image, sketchMd5s: [] } };
    const id = connection.insert(
      db.insertInto('releases').values({
        project_id: projectId,
        version: release.version,
        kind: release.kind,
        board: release.board,
        reference_image: referenceImage,
        published_at: release.publishedAt,
        trusted: isTrusted ? 1 : 0,
        yanked: null,
        manifest: JSON.stringify(manifest),
      }),
    );
    for (const { md5, flashMode } of sketchMd5s) {
      const row = { md5: Buffer.from(md5, 'hex'), release_id: id, flash_mode: flashModes.indexOf(flashMode) };
      connection.run(db.insertInto('sketch_md5s').values(row).orIgnore());
    }
    const blobs = release.purpose === 'serve' ? new Set(manifest.artifacts.map(({ sha256 }) => sha256)) : [];
    for (const sha256 of blobs) connection.run(db.insertInto('release_blobs').values({ sha256, release_id: id }));
    return { ...release, id, manifest };
  }

  function publish(publication: NewRelease): PublicationResult {
    const { release, channel, project, audit } = publication;
    const referenceImage = release.purpose === 'reference' ? release.manifest.image.sha256 : '';
    const present = releases.byName(projectIdOf(release.project), release, referenceImage);
    if (present !== undefined && !hasSameBytes(present, publication))
      return { outcome: 'version-taken', release: present };
    if (present !== undefined && !isNewOn(present, channel)) return { outcome: 'unchanged', release: present };
    const outcome = present === undefined ? 'published' : 'promoted';
    if (project !== undefined) writeProject(project);
    const projectId = projectIdOf(release.project);
    const written = present ?? writeRelease(projectId, publication, referenceImage);
    knownBuilds.forget();
    if (channel !== undefined) makeCurrent(projectId, channel, [written]);
    for (const entry of audit(outcome)) writeAudit(connection, entry);
    return { outcome, release: written };
  }

  function makeCurrent(projectId: number, channel: string, current: readonly ReleaseRecord[]): void {
    for (const release of current) writeCurrent(connection, projectId, channel, release);
    knownBuilds.trust(current.map(({ id }) => id));
  }

  async function projects(): Promise<StoredProject[]> {
    const rows = await db.selectFrom('projects').select(['name', 'doc']).orderBy('name').execute();
    return rows.map(({ name, doc }) => {
      const what = `the document of project ${name}`;
      const settings = storedJson<Omit<ProjectRecord, 'name'>>(doc, what, documentSchemas.projects.doc);
      return { project: { ...settings, name }, revision: 1 };
    });
  }

  /** Clears the caches within the transaction that makes the change, so that no read can happen in between. */
  function forget(ids: readonly number[]): void {
    releases.forget(ids);
    knownBuilds.forget();
  }

  return {
    projects,

    project: async (name) => (await projects()).find(({ project }) => project.name === name),
    revisions: async () => new Map((await projects()).map(({ project, revision }) => [project.name, revision])),

    saveProject: (project, audit) =>
      committer.write('sync', () => {
        writeProject(project);
        writeAudit(connection, audit);
      }),

    publish: (publication) => committer.write('sync', () => publish(publication)),

    async releases(project, { before = Number.MAX_SAFE_INTEGER, limit }) {
      return releases.ofProject(projectIds.idOf(project), before, limit);
    },

    async withSameBytes(project, { image, artifacts }) {
      const digests = artifacts.map(({ sha256 }) => sha256);
      const md5s = image.sketchMd5s.map(({ md5 }) => Buffer.from(md5, 'hex'));
      const ofProject = db.selectFrom('releases').where('project_id', '=', projectIds.idOf(project));
      const byArtifact = ofProject
        .innerJoin('release_blobs', 'release_blobs.release_id', 'releases.id')
        .where('sha256', 'in', digests);
      const byMd5s = ofProject
        .innerJoin('sketch_md5s', 'sketch_md5s.release_id', 'releases.id')
        .where('md5', 'in', md5s);
      const rows = [
        ...(digests.length === 0 ? [] : connection.all(byArtifact.select('releases.id'))),
        ...(md5s.length === 0 ? [] : connection.all(byMd5s.select('releases.id'))),
      ];
      return [...new Set(rows.map(({ id }) => id))].flatMap((id) => releases.byId(id) ?? []);
    },

    async find(project, name) {
      return releases.byName(projectIds.idOf(project), name, '');
    },

    async withVersion(project, version) {
      return releases.withVersion(projectIds.idOf(project), version).filter(isPromotable);
    },

    promote: (project, channel, releaseIds, audit) =>
      committer.write('sync', () => {
        const current = releaseIds.flatMap((id) => releases.byId(id) ?? []).filter(isPromotable);
        if (current.length === 0) return current;
        makeCurrent(projectIds.idOf(project), channel, current);
        writeAudit(connection, audit(current));
        return current;
      }),

    yank: (_, releaseIds, reason, audit) =>
      committer.write('sync', () => {
        const found = releaseIds.flatMap((id) => releases.byId(id) ?? []).filter(({ yanked }) => yanked === undefined);
        if (found.length === 0) return found;
        const ids = found.map(({ id }) => id);
        connection.run(db.updateTable('releases').set({ yanked: reason }).where('id', 'in', ids));
        connection.run(db.deleteFrom('current_releases').where('release_id', 'in', ids));
        writeAudit(connection, audit(found));
        forget(ids);
        return found;
      }),

    async currentReleases(project) {
      const query = db
        .selectFrom('current_releases')
        .select(['channel', 'release_id'])
        .where('project_id', '=', projectIds.idOf(project));
      return connection.all(query).flatMap(({ channel, release_id }): CurrentRelease[] => {
        const release = releases.byId(release_id);
        return release === undefined ? [] : [{ project, channel, release }];
      });
    },

    async promotedBefore(project, channel, most) {
      const query = db
        .selectFrom('promotions')
        .select('release_id')
        .where('project_id', '=', projectIds.idOf(project))
        .where('channel', '=', channel)
        .groupBy('release_id')
        .orderBy(({ fn }) => fn.max('id'), 'desc')
        .limit(most);
      const found = connection.all(query).flatMap(({ release_id }) => releases.byId(release_id) ?? []);
      return found.filter(isPromotable);
    },

    async lastPromotedAt(releaseId) {
      const promotions = db.selectFrom('promotions').select('at').where('release_id', '=', releaseId);
      return connection.first(promotions.orderBy('at', 'desc').limit(1))?.at;
    },

    async recognize(project, sketchMd5) {
      return knownBuilds.recognize(project, sketchMd5);
    },

    async byIds(ids) {
      return ids.flatMap((id) => releases.byId(id) ?? []);
    },

    async isReferenced(sha256, project) {
      const query = db.selectFrom('release_blobs').select('release_id').where('sha256', '=', sha256).limit(1);
      if (project === undefined) return connection.first(query) !== undefined;
      const ofProject = query
        .innerJoin('releases', 'releases.id', 'release_id')
        .where('project_id', '=', projectIds.idOf(project));
      return connection.first(ofProject) !== undefined;
    },
  };
}
