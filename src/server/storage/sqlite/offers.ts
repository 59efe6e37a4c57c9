import type { ReleaseRecord } from '../records.ts';
import type { Connection } from './connection.ts';

/** A channel offers a release from now on, in the transaction of the caller. */
export function writeOffer(connection: Connection, projectId: number, channel: string, release: ReleaseRecord): void {
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

/** Whether it may be offered at all. */
export function isOfferable({ purpose, yanked }: ReleaseRecord): boolean {
  return purpose === 'serve' && yanked === undefined;
}
