import type { Insertable } from 'kysely';
import type { SentBlob, UploadStore } from '../store.ts';
import type { Database, Engine } from './engine.ts';
import type { Tables } from './tables.ts';

export function sqlUploads({ db, transaction, longTransaction, lock }: Engine): UploadStore {
  return {
    reserve: (upload, most) =>
      transaction(async (change) => {
        const { token, sha256, sizeBytes } = upload;
        await lock(change, `uploads of ${token}`);
        await lock(change, `uploads of ${sha256}`);
        const used = await unpublishedOthers(change, token, sha256);
        if (used.bytes + sizeBytes > most.bytes || used.files + 1 > most.files) return used;
        await writeUpload(change, upload, 0);
        return undefined;
      }),

    async release(token, sha256) {
      const query = db.deleteFrom('uploads').where('token', '=', token).where('sha256', '=', sha256);
      await query.where('complete', '=', 0).execute();
    },

    add: (sent) =>
      transaction(async (change) => {
        await lock(change, `uploads of ${sent.sha256}`);
        await writeUpload(change, sent, 1);
      }),

    async has(token, sha256) {
      const query = db.selectFrom('uploads').select('at').where('token', '=', token).where('sha256', '=', sha256);
      return (await query.where('complete', '=', 1).executeTakeFirst()) !== undefined;
    },

    async before(at) {
      const query = db.selectFrom('uploads').select('sha256').where('complete', '=', 1).groupBy('sha256');
      const rows = await query.having(({ fn }) => fn.max('at'), '<', at).execute();
      return rows.map(({ sha256 }) => sha256);
    },

    // Removing the blob may take longer than the time limits of other transactions. If the lock were released before, a release of this blob
    // could be published while it is removed.
    removeUnpublished: (sha256, at, remove) =>
      longTransaction(async (change) => {
        await lock(change, `uploads of ${sha256}`);
        const fresh = change.selectFrom('uploads').select('at').where('sha256', '=', sha256).where('at', '>=', at);
        const needed = change.selectFrom('release_blobs').select('sha256').where('sha256', '=', sha256);
        for (const query of [fresh, needed]) if ((await query.executeTakeFirst()) !== undefined) return false;
        await remove();
        await change.deleteFrom('uploads').where('sha256', '=', sha256).execute();
        return true;
      }),

    async removeBefore(at) {
      await db.deleteFrom('uploads').where('at', '<', at).execute();
    },
  };
}

/** Returns the total size and the number of a token's uploads that no release needs, except one. */
async function unpublishedOthers(db: Database, token: string, except: string) {
  const query = db
    .selectFrom('uploads')
    .select(({ fn }) => [fn.sum<number | null>('size_bytes').as('bytes'), fn.countAll<number>().as('files')])
    .where('token', '=', token)
    .where('sha256', '!=', except)
    .where('sha256', 'not in', (blobs) => blobs.selectFrom('release_blobs').select('sha256'));
  const found = await query.executeTakeFirst();
  return { bytes: found?.bytes ?? 0, files: found?.files ?? 0 };
}

/** A complete upload stays complete when it is reserved again. */
async function writeUpload(db: Database, { token, sha256, sizeBytes, at }: SentBlob, complete: 0 | 1): Promise<void> {
  const row: Insertable<Tables['uploads']> = { token, sha256, size_bytes: sizeBytes, at, complete };
  const changed = { size_bytes: sizeBytes, at, ...(complete === 1 && { complete }) };
  const query = db.insertInto('uploads').values(row);
  await query.onConflict((conflict) => conflict.columns(['token', 'sha256']).doUpdateSet(changed)).execute();
}
