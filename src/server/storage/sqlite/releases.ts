import * as v from 'valibot';
import type { Manifest } from '../../../core/model/manifest.ts';
import type { ReleaseName, ReleaseRecord } from '../records.ts';
import type { Connection } from './connection.ts';
import { storedJson } from './stored-json.ts';

/** Number of cached releases. Parsing a manifest takes longer than all other queries in the store. */
const mostRemembered = 512;

interface Row {
  readonly id: number;
  readonly name: string;
  readonly version: string;
  readonly kind: string;
  readonly board: string;
  readonly reference_image: string;
  readonly published_at: number;
  readonly yanked: string | null;
  readonly manifest: string;
}

/** Reads releases from the database. */
export interface ReleaseReader {
  byId(id: number): ReleaseRecord | undefined;
  byName(projectId: number, name: ReleaseName, referenceImage: string): ReleaseRecord | undefined;
  ofProject(projectId: number, before: number, limit: number): ReleaseRecord[];
  withVersion(projectId: number, version: string): ReleaseRecord[];
  /** Removes changed releases from the cache. */
  forget(ids: readonly number[]): void;
}

export function releaseReader(connection: Connection): ReleaseReader {
  const { db } = connection;
  const remembered = new Map<number, ReleaseRecord>();
  const rows = db
    .selectFrom('releases')
    .innerJoin('projects', 'projects.id', 'releases.project_id')
    .select([
      'releases.id',
      'projects.name',
      'version',
      'kind',
      'board',
      'reference_image',
      'published_at',
      'yanked',
      'manifest',
    ]);
  const withId = connection.prepare(rows.where('releases.id', '=', 0));

  return {
    byId(id) {
      const known = remembered.get(id);
      if (known !== undefined) return known;
      const row = withId.first(id);
      if (row === undefined) return undefined;
      const release = toRelease(row);
      const [oldest] = remembered.keys();
      if (remembered.size >= mostRemembered && oldest !== undefined) remembered.delete(oldest);
      remembered.set(id, release);
      return release;
    },

    byName(projectId, { version, kind, board }, referenceImage) {
      const named = rows
        .where('project_id', '=', projectId)
        .where('version', '=', version)
        .where('kind', '=', kind)
        .where('board', '=', board)
        .where('reference_image', '=', referenceImage);
      const row = connection.first(named);
      return row && toRelease(row);
    },

    ofProject(projectId, before, limit) {
      const ofProject = rows.where('project_id', '=', projectId).where('releases.id', '<', before);
      return connection.all(ofProject.orderBy('releases.id', 'desc').limit(limit)).map(toRelease);
    },

    withVersion(projectId, version) {
      return connection.all(rows.where('project_id', '=', projectId).where('version', '=', version)).map(toRelease);
    },

    forget(ids) {
      for (const id of ids) remembered.delete(id);
    },
  };
}

/**
 * Minimum requirements for a manifest. The complete manifest was validated before it was stored; validating it again would take longer than
 * reading it.
 */
const outline = v.looseObject({ image: v.looseObject({}), artifacts: v.array(v.looseObject({})) });

function toRelease(row: Row): ReleaseRecord {
  return {
    id: row.id,
    project: row.name,
    version: row.version,
    kind: row.kind === 'filesystem' ? 'filesystem' : 'sketch',
    board: row.board,
    purpose: row.reference_image === '' ? 'serve' : 'reference',
    publishedAt: row.published_at,
    yanked: row.yanked ?? undefined,
    manifest: storedJson<Manifest>(row.manifest, `the manifest of release ${row.id}`, outline),
  };
}
