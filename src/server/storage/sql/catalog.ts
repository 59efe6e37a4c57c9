import { flashModes } from '../../../core/firmware/flash-header.ts';
import type { CurrentRelease, ReleaseRecord } from '../records.ts';
import { hasSameBytes, isPromotable } from '../release-record.ts';
import type { CatalogStore, NewRelease, PublicationResult } from '../store.ts';
import { writeAudit } from './audit.ts';
import { writeCurrentReleases } from './current-releases.ts';
import type { Database, Engine } from './engine.ts';
import { bumpRevision, type LockedProject, lockProject, requireRevision, toProject, writeProject } from './projects.ts';
import {
  recognizedReleases,
  releaseByName,
  releaseRows,
  releasesByIds,
  releaseVersions,
  toRelease,
} from './releases.ts';

export function sqlCatalog(engine: Engine): CatalogStore {
  const { db, transaction } = engine;
  const projectRows = db.selectFrom('projects').select(['name', 'revision', 'doc']);

  return {
    projects: async () => (await projectRows.orderBy('name').execute()).map(toProject),

    async project(name) {
      const row = await projectRows.where('name', '=', name).executeTakeFirst();
      return row && toProject(row);
    },

    async revisions() {
      const rows = await db.selectFrom('projects').select(['name', 'revision']).execute();
      return new Map(rows.map(({ name, revision }) => [name, revision]));
    },

    async saveProject(project, audit, projectRevision) {
      await transaction(async (change) => {
        await writeProject(change, project);
        const stored = await existingProject(change, engine, project.name);
        requireRevision(stored, projectRevision);
        await bumpRevision(change, stored.id);
        await writeAudit(change, [audit]);
      });
    },

    publish: (publication) => transaction((change) => publish(change, engine, publication)),

    async releases(project, { before = Number.MAX_SAFE_INTEGER, limit }) {
      const query = releaseRows(db).where('projects.name', '=', project).where('releases.id', '<', before);
      return (await query.orderBy('releases.id', 'desc').limit(limit).execute()).map(toRelease);
    },

    versions: (project, page, filter) => releaseVersions(db, project, page, filter),

    async withSameBytes(project, { image, artifacts }) {
      const digests = artifacts.map(({ sha256 }) => sha256);
      const md5s = image.sketchMd5s.map(({ md5 }) => md5);
      if (digests.length === 0 && md5s.length === 0) return [];
      const query = releaseRows(db)
        .where('projects.name', '=', project)
        .where(({ eb, or, selectFrom }) =>
          or([
            ...(digests.length === 0
              ? []
              : [
                  eb(
                    'releases.id',
                    'in',
                    selectFrom('release_blobs').select('release_id').where('sha256', 'in', digests),
                  ),
                ]),
            ...(md5s.length === 0
              ? []
              : [eb('releases.id', 'in', selectFrom('sketch_md5s').select('release_id').where('md5', 'in', md5s))]),
          ]),
        );
      return (await query.orderBy('releases.id').execute()).map(toRelease);
    },

    find: (project, name) => releaseByName(db, project, name, ''),

    withVersion: async (project, version) => (await imagesOf(db, project, version)).filter(isPromotable),

    imagesOf: (project, version) => imagesOf(db, project, version),

    promote: (project, channel, releaseIds, audit, projectRevision) =>
      transaction(async (change) => {
        const stored = await lockProject(change, engine, project);
        requireRevision(stored, projectRevision);
        if (stored === undefined) return [];
        const releases = await releasesByIds(change, releaseIds);
        const promoted = await writeCurrentReleases(change, { projectId: stored.id, channel }, releases);
        if (promoted.length === 0) return promoted;
        await writeAudit(change, [audit(promoted)]);
        await bumpRevision(change, stored.id);
        return promoted;
      }),

    yank: (project, releaseIds, reason, audit, projectRevision) =>
      transaction(async (change) => {
        const stored = await lockProject(change, engine, project);
        requireRevision(stored, projectRevision);
        if (stored === undefined) return [];
        const found = (await releasesByIds(change, releaseIds)).filter(({ yanked }) => yanked === undefined);
        if (found.length === 0) return found;
        const ids = found.map(({ id }) => id);
        await change.updateTable('releases').set({ yanked: reason }).where('id', 'in', ids).execute();
        await change.deleteFrom('current_releases').where('release_id', 'in', ids).execute();
        await writeAudit(change, [audit(found)]);
        await bumpRevision(change, stored.id);
        return found;
      }),

    async notes(project, versions) {
      if (versions.length === 0) return new Map();
      const rows = await db
        .selectFrom('release_notes')
        .innerJoin('projects', 'projects.id', 'project_id')
        .select(['version', 'notes'])
        .where('projects.name', '=', project)
        .where('version', 'in', versions)
        .execute();
      return new Map(rows.map(({ version, notes }) => [version, notes]));
    },

    saveNotes: (project, { version, before, notes }, audit) =>
      transaction(async (change) => {
        const { id } = await existingProject(change, engine, project);
        const stored = change.selectFrom('release_notes').select('notes').where('project_id', '=', id);
        const found = await stored.where('version', '=', version).executeTakeFirst();
        if ((found?.notes ?? '') !== before) return false;
        const removed = change.deleteFrom('release_notes').where('project_id', '=', id);
        await removed.where('version', '=', version).execute();
        if (notes !== '') await change.insertInto('release_notes').values({ project_id: id, version, notes }).execute();
        await writeAudit(change, [audit]);
        return true;
      }),

    async previous({ id, project, kind, board, version }) {
      const row = await releaseRows(db)
        .where('projects.name', '=', project)
        .where('releases.id', '<', id)
        .where('releases.kind', '=', kind)
        .where('releases.board', '=', board)
        .where('releases.reference_image', '=', '')
        .where('releases.version', '!=', version)
        .orderBy('releases.id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && toRelease(row);
    },

    async currentReleases(project) {
      const rows = await releaseRows(db)
        .innerJoin('current_releases', 'current_releases.release_id', 'releases.id')
        .select('channel')
        .where('projects.name', '=', project)
        .orderBy('channel')
        .orderBy('releases.id')
        .execute();
      return rows.map(({ channel, ...row }): CurrentRelease => ({ project, channel, release: toRelease(row) }));
    },

    async promotedBefore(project, channel, most) {
      const query = db
        .selectFrom('promotions')
        .innerJoin('projects', 'projects.id', 'promotions.project_id')
        .select('release_id')
        .where('projects.name', '=', project)
        .where('channel', '=', channel)
        .groupBy('release_id')
        .orderBy(({ fn }) => fn.max('promotions.id'), 'desc')
        .limit(most);
      const ids = (await query.execute()).map(({ release_id }) => release_id);
      return (await releasesByIds(db, ids)).filter(isPromotable);
    },

    async hops(project, channel) {
      // Only some of the releases have two keys, so the text of the others is compared and not read.
      const query = db
        .selectFrom('promotions')
        .innerJoin('projects', 'projects.id', 'promotions.project_id')
        .innerJoin('releases', 'releases.id', 'promotions.release_id')
        .select('release_id')
        .where('projects.name', '=', project)
        .where('channel', '=', channel)
        .where('releases.manifest', 'like', '%"previousKey":%')
        .groupBy('release_id')
        .orderBy(({ fn }) => fn.max('promotions.id'), 'desc');
      const ids = (await query.execute()).map(({ release_id }) => release_id);
      const found = (await releasesByIds(db, ids)).filter(isPromotable);
      return found.filter(({ manifest }) => manifest.signing.previousKey !== undefined);
    },

    async lastPromotedAt(releaseId) {
      const promotions = db.selectFrom('promotions').select('at').where('release_id', '=', releaseId);
      return (await promotions.orderBy('at', 'desc').limit(1).executeTakeFirst())?.at;
    },

    recognize: (project, sketchMd5) => recognizedReleases(db, project, sketchMd5),

    byIds: (ids) => releasesByIds(db, ids),

    async isReferenced(sha256, project) {
      const query = db
        .selectFrom('release_blobs')
        .innerJoin('releases', 'releases.id', 'release_id')
        .innerJoin('projects', 'projects.id', 'project_id')
        .select('release_id')
        .where('sha256', '=', sha256);
      const ofProject = project === undefined ? query : query.where('projects.name', '=', project);
      return (await ofProject.limit(1).executeTakeFirst()) !== undefined;
    },
  };
}

async function imagesOf(db: Database, project: string, version: string): Promise<readonly ReleaseRecord[]> {
  const query = releaseRows(db)
    .where('projects.name', '=', project)
    .where('releases.version', '=', version)
    .where('releases.reference_image', '=', '');
  return (await query.orderBy('releases.id').execute()).map(toRelease);
}

async function existingProject(db: Database, engine: Engine, name: string): Promise<LockedProject> {
  const stored = await lockProject(db, engine, name);
  if (stored === undefined) throw new Error(`project ${name} does not exist`);
  return stored;
}

async function publish(db: Database, engine: Engine, publication: NewRelease): Promise<PublicationResult> {
  const { release, channel, project, projectRevision, audit } = publication;
  const referenceImage = release.purpose === 'reference' ? release.manifest.image.sha256 : '';
  // If two processes publish the same release, the second one waits here until the first transaction ends.
  const before = await lockProject(db, engine, release.project);
  if (before === undefined && project !== undefined) await writeProject(db, project);
  const stored = before ?? (await existingProject(db, engine, release.project));
  requireRevision(stored, projectRevision);
  const projectId = stored.id;
  const present = await releaseByName(db, release.project, release, referenceImage);
  if (present !== undefined && !hasSameBytes(present, publication)) {
    return { outcome: 'version-taken', release: present };
  }
  if (present !== undefined && !(await isNewOn(db, present, channel)))
    return { outcome: 'unchanged', release: present };
  const outcome = present === undefined ? 'published' : 'promoted';
  if (project !== undefined) await writeProject(db, project);
  const written = present ?? (await writeRelease(db, projectId, publication, referenceImage));
  if (channel !== undefined) await writeCurrentReleases(db, { projectId, channel }, [written]);
  await writeAudit(db, audit(outcome));
  await bumpRevision(db, projectId);
  return { outcome, release: written };
}

/** Returns whether publishing promotes a release: false for a yanked release, and for a release that the channel has served before. */
async function isNewOn(db: Database, { id, yanked }: ReleaseRecord, channel: string | undefined): Promise<boolean> {
  if (channel === undefined || yanked !== undefined) return false;
  const promotion = db
    .selectFrom('promotions')
    .select('id')
    .where('release_id', '=', id)
    .where('channel', '=', channel);
  return (await promotion.limit(1).executeTakeFirst()) === undefined;
}

async function writeRelease(
  db: Database,
  projectId: number,
  { release, isTrusted }: NewRelease,
  referenceImage: string,
): Promise<ReleaseRecord> {
  const { sketchMd5s, ...image } = release.manifest.image;
  const manifest = { ...release.manifest, image: { ...image, sketchMd5s: [] } };
  const { id } = await db
    .insertInto('releases')
    .values({
      project_id: projectId,
      version: release.version,
      kind: release.kind,
      board: release.board,
      reference_image: referenceImage,
      published_at: release.publishedAt,
      trusted: isTrusted ? 1 : 0,
      yanked: null,
      manifest: JSON.stringify(manifest),
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const { md5, flashMode } of sketchMd5s) {
    const row = { md5, release_id: id, flash_mode: flashModes.indexOf(flashMode) };
    await db
      .insertInto('sketch_md5s')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const blobs = release.purpose === 'serve' ? new Set(manifest.artifacts.map(({ sha256 }) => sha256)) : [];
  for (const sha256 of blobs) await db.insertInto('release_blobs').values({ sha256, release_id: id }).execute();
  return { ...release, id, manifest };
}
