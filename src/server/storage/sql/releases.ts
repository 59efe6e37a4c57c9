import * as v from 'valibot';
import type { ImageStatus } from '../../../api/release-info.ts';
import { flashModes } from '../../../core/firmware/flash-header.ts';
import type { Manifest } from '../../../core/model/manifest.ts';
import type { Recognized, ReleaseName, ReleaseRecord } from '../records.ts';
import type { ReleaseVersion, VersionFilter } from '../store.ts';
import type { Database } from './engine.ts';
import { storedJson } from './stored-json.ts';

/** Maximum number of releases returned per sketch MD5. Identical builds are rarely published under more names. */
const mostRecognized = 8;

interface Row {
  readonly id: number;
  readonly project: string;
  readonly version: string;
  readonly kind: string;
  readonly board: string;
  readonly reference_image: string;
  readonly published_at: number;
  readonly yanked: string | null;
  readonly manifest: string;
}

/** Starts a query for releases and their projects. */
export function releaseRows(db: Database) {
  return db
    .selectFrom('releases')
    .innerJoin('projects', 'projects.id', 'releases.project_id')
    .select([
      'releases.id',
      'projects.name as project',
      'releases.version',
      'releases.kind',
      'releases.board',
      'releases.reference_image',
      'releases.published_at',
      'releases.yanked',
      'releases.manifest',
    ]);
}

/** Returns the releases with these IDs, in the order of the IDs; unknown IDs are skipped. */
export async function releasesByIds(db: Database, ids: readonly number[]): Promise<ReleaseRecord[]> {
  if (ids.length === 0) return [];
  const rows = await releaseRows(db).where('releases.id', 'in', ids).execute();
  const found = new Map(rows.map((row) => [row.id, toRelease(row)]));
  return ids.flatMap((id) => found.get(id) ?? []);
}

/** Number of images after which a page ends. A version is never split. */
const mostImages = 1000;

/** Returns the releases of a project by version; see `CatalogStore.versions`. */
export async function releaseVersions(
  db: Database,
  project: string,
  { before = Number.MAX_SAFE_INTEGER, limit }: { readonly before?: number | undefined; readonly limit: number },
  { version, status }: VersionFilter = {},
): Promise<{ readonly versions: readonly ReleaseVersion[]; readonly next: number | undefined }> {
  const found = await db
    .selectFrom('releases')
    .innerJoin('projects', 'projects.id', 'releases.project_id')
    .select(({ fn }) => ['version', fn.min('releases.id').as('first'), fn.countAll<number>().as('images')])
    .where('projects.name', '=', project)
    .$if(version !== undefined, (rows) => rows.where('version', '=', version ?? ''))
    .$if(status !== undefined, (rows) => rows.where('version', 'in', versionsWith(db, project, status ?? 'current')))
    .groupBy('version')
    .having(({ fn }) => fn.min('releases.id'), '<', before)
    .orderBy('first', 'desc')
    .limit(limit + 1)
    .execute();
  const page: typeof found = [];
  let room = mostImages;
  for (const each of found.slice(0, limit)) {
    if (page.length > 0 && each.images > room) break;
    room -= each.images;
    page.push(each);
  }
  const names = page.map(({ version }) => version);
  if (names.length === 0) return { versions: [], next: undefined };
  const query = releaseRows(db).where('projects.name', '=', project).where('releases.version', 'in', names);
  // An empty reference image sorts before all digests.
  const rows = await query.orderBy('reference_image').orderBy('board').orderBy('kind', 'desc').execute();
  const releases = rows.map(toRelease);
  return {
    versions: names.map((version) => ({ version, images: releases.filter((each) => each.version === version) })),
    next: page.length < found.length ? page.at(-1)?.first : undefined,
  };
}

/** Selects the versions that have an image with this status. */
function versionsWith(db: Database, project: string, status: ImageStatus) {
  const images = db
    .selectFrom('releases')
    .innerJoin('projects', 'projects.id', 'releases.project_id')
    .select('version')
    .where('projects.name', '=', project);
  const available = images.where('reference_image', '=', '').where('yanked', 'is', null);
  const current = db.selectFrom('current_releases').select('release_id');
  const promoted = db
    .selectFrom('promotions')
    .innerJoin('projects', 'projects.id', 'promotions.project_id')
    .select('release_id')
    .where('projects.name', '=', project);
  switch (status) {
    case 'current':
      return images.where('releases.id', 'in', current);
    case 'draft':
      return available.where('releases.id', 'not in', promoted);
    case 'replaced':
      return available.where('releases.id', 'in', promoted).where('releases.id', 'not in', current);
    case 'yanked':
      return images.where('yanked', 'is not', null);
    case 'reference':
      return images.where('reference_image', '<>', '');
  }
}

export async function releaseByName(
  db: Database,
  project: string,
  { version, kind, board }: ReleaseName,
  referenceImage: string,
): Promise<ReleaseRecord | undefined> {
  const row = await releaseRows(db)
    .where('projects.name', '=', project)
    .where('releases.version', '=', version)
    .where('releases.kind', '=', kind)
    .where('releases.board', '=', board)
    .where('releases.reference_image', '=', referenceImage)
    .executeTakeFirst();
  return row && toRelease(row);
}

export async function recognizedReleases(db: Database, project: string, sketchMd5: string): Promise<Recognized[]> {
  // Trusted builds are first, so that the limit never excludes them in favor of other builds.
  const rows = await releaseRows(db)
    .innerJoin('sketch_md5s', 'sketch_md5s.release_id', 'releases.id')
    .select(['flash_mode', 'trusted'])
    .where('md5', '=', sketchMd5)
    .where('projects.name', '=', project)
    .orderBy('trusted', 'desc')
    .orderBy('release_id', 'desc')
    .limit(mostRecognized)
    .execute();
  return rows.flatMap(({ flash_mode, trusted, ...row }): Recognized[] => {
    const flashMode = flashModes[flash_mode];
    return flashMode === undefined ? [] : [{ release: toRelease(row), flashMode, isTrusted: trusted === 1 }];
  });
}

/** Marks the builds of releases as trusted; see `Recognized.isTrusted`. */
export async function trustReleases(db: Database, ids: readonly number[]): Promise<void> {
  if (ids.length > 0) await db.updateTable('releases').set({ trusted: 1 }).where('id', 'in', ids).execute();
}

/**
 * Minimum requirements for a manifest. The complete manifest was validated before it was stored; validating it again would take longer than
 * reading it.
 */
const outline = v.looseObject({ image: v.looseObject({}), artifacts: v.array(v.looseObject({})) });

export function toRelease(row: Row): ReleaseRecord {
  return {
    id: row.id,
    project: row.project,
    version: row.version,
    kind: row.kind === 'filesystem' ? 'filesystem' : 'sketch',
    board: row.board,
    purpose: row.reference_image === '' ? 'serve' : 'reference',
    publishedAt: row.published_at,
    yanked: row.yanked ?? undefined,
    manifest: storedJson<Manifest>(row.manifest, `the manifest of release ${row.id}`, outline),
  };
}
