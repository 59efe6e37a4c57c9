import type { ReleaseRecord } from '../records.ts';
import type { Connection } from './connection.ts';

/** Makes a release the current one of a channel, in the transaction of the caller. */
export function writeCurrent(connection: Connection, projectId: number, channel: string, release: ReleaseRecord): void {
  const { id, kind, board } = release;
  const { sql } = connection;
  const row = { project_id: projectId, channel, kind, board, release_id: id };
  connection.run(
    sql
      .insertInto('offers')
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(['project_id', 'channel', 'kind', 'board']).doUpdateSet({ release_id: id }),
      ),
  );
  const history = { project_id: projectId, channel, release_id: id, at: Date.now() };
  connection.insert(sql.insertInto('offer_history').values(history));
}

/** Returns whether a release may be promoted: it is not a reference build and not yanked. */
export function isPromotable({ purpose, yanked }: ReleaseRecord): boolean {
  return purpose === 'serve' && yanked === undefined;
}
