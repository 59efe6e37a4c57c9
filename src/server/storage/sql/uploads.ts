import type { UploadStore } from '../store.ts';
import type { Database } from './engine.ts';

export function sqlUploads(db: Database): UploadStore {
  return {
    async add({ token, sha256, sizeBytes, at }) {
      const changed = { size_bytes: sizeBytes, at };
      const query = db.insertInto('uploads').values({ token, sha256, ...changed });
      await query.onConflict((conflict) => conflict.columns(['token', 'sha256']).doUpdateSet(changed)).execute();
    },

    async has(token, sha256) {
      const query = db.selectFrom('uploads').select('at').where('token', '=', token).where('sha256', '=', sha256);
      return (await query.executeTakeFirst()) !== undefined;
    },

    async unpublished(token) {
      const query = db
        .selectFrom('uploads')
        .select(({ fn }) => [fn.sum<number | null>('size_bytes').as('bytes'), fn.countAll<number>().as('files')])
        .where('token', '=', token)
        .where('sha256', 'not in', (blobs) => blobs.selectFrom('release_blobs').select('sha256'));
      const found = await query.executeTakeFirst();
      return { bytes: found?.bytes ?? 0, files: found?.files ?? 0 };
    },

    async before(at) {
      const query = db.selectFrom('uploads').select('sha256').groupBy('sha256');
      const rows = await query.having(({ fn }) => fn.max('at'), '<', at).execute();
      return rows.map(({ sha256 }) => sha256);
    },

    async removeBefore(at) {
      await db.deleteFrom('uploads').where('at', '<', at).execute();
    },
  };
}
