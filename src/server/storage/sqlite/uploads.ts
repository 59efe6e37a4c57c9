import type { UploadStore } from '../store.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';

export function sqliteUploads(connection: Connection, committer: Committer): UploadStore {
  const { db } = connection;
  return {
    add: ({ token, sha256, sizeBytes, at }) =>
      committer.write('group', () => {
        const row = { token, sha256, size_bytes: sizeBytes, at };
        const changed = { size_bytes: sizeBytes, at };
        const query = db.insertInto('uploads').values(row);
        connection.run(query.onConflict((conflict) => conflict.columns(['token', 'sha256']).doUpdateSet(changed)));
      }),

    async has(token, sha256) {
      const query = db.selectFrom('uploads').select('at').where('token', '=', token).where('sha256', '=', sha256);
      return connection.first(query) !== undefined;
    },

    async unpublished(token) {
      const query = db
        .selectFrom('uploads')
        .select(({ fn }) => [fn.sum<number | null>('size_bytes').as('bytes'), fn.countAll<number>().as('files')])
        .where('token', '=', token)
        .where('sha256', 'not in', (blobs) => blobs.selectFrom('release_blobs').select('sha256'));
      const found = connection.first(query);
      return { bytes: found?.bytes ?? 0, files: found?.files ?? 0 };
    },

    async before(at) {
      const query = db.selectFrom('uploads').select('sha256').groupBy('sha256');
      return connection.all(query.having(({ fn }) => fn.max('at'), '<', at)).map(({ sha256 }) => sha256);
    },

    removeBefore: (at) =>
      committer.write('group', () => {
        connection.run(db.deleteFrom('uploads').where('at', '<', at));
      }),
  };
}
