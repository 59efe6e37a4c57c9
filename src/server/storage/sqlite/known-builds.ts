import { LRUCache } from 'lru-cache';
import { flashModes } from '../../../core/firmware/flash-header.ts';
import type { Recognized } from '../records.ts';
import type { Connection } from './connection.ts';
import type { ProjectIds } from './project-ids.ts';
import type { ReleaseReader } from './releases.ts';

/** Maximum number of releases returned per MD5. Identical builds are rarely published under more names. */
const mostRecognized = 8;
/** Number of cached MD5s. A fleet runs only a few builds, and made-up MD5s must not fill the memory. */
const mostMd5sRemembered = 1024;

/** Identifies builds by the sketch MD5s that devices report. */
export interface KnownBuilds {
  recognize(project: string, sketchMd5: string): readonly Recognized[];
  /** Marks the builds of releases as trusted, within the caller's transaction; see `Recognized.isTrusted`. */
  trust(releaseIds: readonly number[]): void;
  /** Clears the cache. Call this method in the transaction that changes releases, so that no read can happen in between. */
  forget(): void;
}

export function sqliteKnownBuilds(
  connection: Connection,
  projects: ProjectIds,
  releases: Pick<ReleaseReader, 'byId'>,
): KnownBuilds {
  const { db } = connection;
  const remembered = new LRUCache<string, readonly Recognized[]>({ max: mostMd5sRemembered });
  // Trusted builds are first, so that the limit never excludes them in favor of other builds.
  const byMd5 = connection.prepare(
    db
      .selectFrom('sketch_md5s')
      .innerJoin('releases', 'releases.id', 'sketch_md5s.release_id')
      .select(['release_id', 'flash_mode', 'trusted'])
      .where('md5', '=', new Uint8Array())
      .where('project_id', '=', 0)
      .orderBy('trusted', 'desc')
      .orderBy('release_id', 'desc')
      .limit(mostRecognized),
  );

  function buildsWith(project: string, sketchMd5: string): Recognized[] {
    const rows = byMd5.all(Buffer.from(sketchMd5, 'hex'), projects.idOf(project), mostRecognized);
    return rows.flatMap(({ release_id, flash_mode, trusted }): Recognized[] => {
      const release = releases.byId(release_id);
      const flashMode = flashModes[flash_mode];
      return release === undefined || flashMode === undefined ? [] : [{ release, flashMode, isTrusted: trusted === 1 }];
    });
  }

  return {
    recognize(project, sketchMd5) {
      const key = sketchMd5 + project;
      const known = remembered.get(key);
      if (known !== undefined) return known;
      const found = buildsWith(project, sketchMd5);
      remembered.set(key, found);
      return found;
    },

    trust(releaseIds) {
      connection.run(db.updateTable('releases').set({ trusted: 1 }).where('id', 'in', releaseIds));
      remembered.clear();
    },

    forget: () => remembered.clear(),
  };
}
