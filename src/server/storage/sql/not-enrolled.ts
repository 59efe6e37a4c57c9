import * as v from 'valibot';
import type { NotEnrolledDevice } from '../records.ts';
import type { NotEnrolledStore } from '../store.ts';
import type { Engine } from './engine.ts';
import { storedJson } from './stored-json.ts';

type Doc = Omit<NotEnrolledDevice, 'mac' | 'address' | 'lastSeenAt'>;

const outline = v.looseObject({ path: v.string(), projects: v.array(v.string()), knownIn: v.array(v.string()) });

/** Devices that were sent nothing because no project was found for them. */
export function sqlNotEnrolled({ db, transaction }: Engine): NotEnrolledStore {
  return {
    async list() {
      const query = db.selectFrom('not_enrolled').selectAll().orderBy('last_seen_at', 'desc').orderBy('mac');
      return (await query.execute()).map(({ mac, address, last_seen_at, doc }) => ({
        ...storedJson<Doc>(doc, `the entry of ${mac}, which is not enrolled`, outline),
        mac,
        address,
        lastSeenAt: last_seen_at,
      }));
    },

    save: ({ seen, removed }, { most, mostPerAddress }) =>
      transaction(async (change) => {
        if (removed.length > 0) await change.deleteFrom('not_enrolled').where('mac', 'in', removed).execute();
        if (seen.length === 0) return;
        await change
          .insertInto('not_enrolled')
          .values(seen.map(toRow))
          .onConflict((conflict) =>
            conflict.column('mac').doUpdateSet(({ ref }) => ({
              address: ref('excluded.address'),
              last_seen_at: ref('excluded.last_seen_at'),
              doc: ref('excluded.doc'),
            })),
          )
          .execute();
        const ranked = change
          .selectFrom('not_enrolled')
          .select('mac')
          .select(({ fn }) => [
            fn
              .agg<number>('row_number')
              .over((over) => over.orderBy('last_seen_at', 'desc').orderBy('mac'))
              .as('of_all'),
            fn
              .agg<number>('row_number')
              .over((over) => over.partitionBy('address').orderBy('last_seen_at', 'desc').orderBy('mac'))
              .as('of_address'),
          ]);
        const beyond = change
          .selectFrom(ranked.as('ranked'))
          .select('mac')
          .where(({ or, eb }) => or([eb('of_all', '>', most), eb('of_address', '>', mostPerAddress)]));
        await change.deleteFrom('not_enrolled').where('mac', 'in', beyond).execute();
      }, 'crash'),

    async removeBefore(at) {
      await db.deleteFrom('not_enrolled').where('last_seen_at', '<', at).execute();
    },
  };
}

function toRow({ mac, address, lastSeenAt, ...doc }: NotEnrolledDevice) {
  return { mac, address, last_seen_at: lastSeenAt, doc: JSON.stringify(doc satisfies Doc) };
}
