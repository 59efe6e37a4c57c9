import type { UploadStore } from '../store.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';

export function sqliteUploads(connection: Connection, committer: Committer): UploadStore {
  const { db } = connection;
  const write = (row: { token: string; sha256: string; size_bytes: number; at: number; complete: number }) => {
    const { size_bytes, at, complete } = row;
    const changed = complete === 1 ? { size_bytes, at, complete } : { size_bytes, at };
    const query = db.insertInto('uploads').values(row);
    connection.run(query.onConflict((conflict) => conflict.columns(['token', 'sha256']).doUpdateSet(changed)));
  };
  return {
    reserve: ({ token, sha256, sizeBytes, at }, most) =>
      committer.write('group', () => {
        const query = db
          .selectFrom('uploads')
          .select(({ fn }) => [fn.sum<number | null>('size_bytes').as('bytes'), fn.countAll<number>().as('files')])
          .where('token', '=', token)
          .where('sha256', '!=', sha256)
          .where('sha256', 'not in', (blobs) => blobs.selectFrom('release_blobs').select('sha256'));
        const found = connection.first(query);
        const used = { bytes: found?.bytes ?? 0, files: found?.files ?? 0 };
        if (used.bytes + sizeBytes > most.bytes || used.files + 1 > most.files) return used;
        write({ token, sha256, size_bytes: sizeBytes, at, complete: 0 });
        return undefined;
      }),

    release: (token, sha256) =>
      committer.write('group', () => {
        const query = db.deleteFrom('uploads').where('token', '=', token).where('sha256', '=', sha256);
        connection.run(query.where('complete', '=', 0));
      }),

    add: ({ token, sha256, sizeBytes, at }) =>
      committer.write('group', () => write({ token, sha256, size_bytes: sizeBytes, at, complete: 1 })),

    async has(token, sha256) {
      const query = db.selectFrom('uploads').select('at').where('token', '=', token).where('sha256', '=', sha256);
      return connection.first(query.where('complete', '=', 1)) !== undefined;
    },

    async before(at) {
      const query = db.selectFrom('uploads').select('sha256').where('complete', '=', 1).groupBy('sha256');
      return connection.all(query.having(({ fn }) => fn.max('at'), '<', at)).map(({ sha256 }) => sha256);
    },

    async removeUnpublished(sha256, at, remove) {
      const fresh = db.selectFrom('uploads').select('at').where('sha256', '=', sha256).where('at', '>=', at);
      const needed = db.selectFrom('release_blobs').select('sha256').where('sha256', '=', sha256);
      if (connection.first(fresh) !== undefined || connection.first(needed) !== undefined) return false;
      await remove();
      await committer.write('group', () => {
        connection.run(db.deleteFrom('uploads').where('sha256', '=', sha256));
      });
      return true;
    },

    removeBefore: (at) =>
      committer.write('group', () => {
        connection.run(db.deleteFrom('uploads').where('at', '<', at));
      }),
  };
}
