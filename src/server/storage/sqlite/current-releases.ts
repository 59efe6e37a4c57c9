import type { ReleaseRecord } from '../records.ts';
import type { Connection } from './connection.ts';

/** Makes a release a channel's current release, within the caller's transaction. */
export function writeCurrent(connection: Connection, projectId: number, channel: string, release: ReleaseRecord): void {
  const { id, kind, board } = release;
  const { db } = connection;
  const row = { project_id: projectId, channel, kind, board, release_id: id };
  connection.run(
    db
      .insertInto('current_releases')
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(['project_id', 'channel', 'kind', 'board']).doUpdateSet({ release_id: id }),
      ),
  );
  const promotion = { project_id: projectId, channel, release_id: id, at: Date.now() };
  connection.run(db.insertInto('promotions').values(promotion));
}
