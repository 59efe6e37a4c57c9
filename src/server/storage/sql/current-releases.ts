import type { ReleaseRecord } from '../records.ts';
import { isPromotable } from '../release-record.ts';
import type { Database } from './engine.ts';
import { trustReleases } from './releases.ts';

/**
 * Makes releases the current releases of a channel, within the caller's transaction; skips reference builds and yanked releases.
 *
 * @returns the promoted releases
 */
export async function writeCurrentReleases(
  db: Database,
  { projectId, channel }: { readonly projectId: number; readonly channel: string },
  releases: readonly ReleaseRecord[],
): Promise<readonly ReleaseRecord[]> {
  const promoted = releases.filter(isPromotable);
  for (const { id, kind, board } of promoted) {
    const row = { project_id: projectId, channel, kind, board, release_id: id };
    await db
      .insertInto('current_releases')
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(['project_id', 'channel', 'kind', 'board']).doUpdateSet({ release_id: id }),
      )
      .execute();
    const promotion = { project_id: projectId, channel, release_id: id, at: Date.now() };
    await db.insertInto('promotions').values(promotion).execute();
  }
  await trustReleases(
    db,
    promoted.map(({ id }) => id),
  );
  return promoted;
}
