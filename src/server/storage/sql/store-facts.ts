import { sql } from 'kysely';
import type { DataIdentity, Store } from '../store.ts';
import type { Database, Engine } from './engine.ts';
import { storedJson } from './stored-json.ts';

/** Key of the row in `meta` that contains the identity of the data. */
export const identityKey = 'identity';
const servedMsKey = 'served-ms';

/** Facts about the data as a whole. */
export function storeFacts({
  db,
  health,
  transaction,
  lock,
  flush,
  isInPlace,
  nowMs,
}: Engine): Pick<Store, 'identity' | 'seal' | 'servedMs' | 'advanceServedMs' | 'wallMs' | 'ping' | 'isInPlace'> {
  async function advanceServedMs(byMs: number, on = db): Promise<number> {
    const query = on.insertInto('meta').values({ key: servedMsKey, value: String(Math.floor(byMs)) });
    const sum = sql<string>`CAST(CAST(meta.value AS bigint) + CAST(excluded.value AS bigint) AS text)`;
    const advanced = query.onConflict((conflict) => conflict.column('key').doUpdateSet({ value: sum }));
    return Number((await advanced.returning('value').executeTakeFirstOrThrow()).value);
  }

  return {
    async identity() {
      return identityIn(await readFact(db, identityKey));
    },

    async seal(next) {
      const identity = await transaction(async (change) => {
        await lock(change, 'identity');
        const sealed = next(identityIn(await readFact(change, identityKey)));
        await writeFact(change, identityKey, JSON.stringify(sealed));
        return sealed;
      });
      await flush();
      return identity;
    },

    async servedMs() {
      return Number((await readFact(db, servedMsKey)) ?? 0);
    },

    advanceServedMs: (byMs) => advanceServedMs(byMs),

    async ping() {
      await advanceServedMs(0, health);
    },

    isInPlace,

    async wallMs() {
      const { rows } = await sql<{ now: number }>`SELECT ${nowMs()} AS now`.execute(db);
      return rows[0]?.now ?? Date.now();
    },
  };
}

function identityIn(value: string | undefined): DataIdentity | undefined {
  return value === undefined ? undefined : storedJson<DataIdentity>(value, 'the identity of the data');
}

async function readFact(db: Database, key: string): Promise<string | undefined> {
  return (await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst())?.value;
}

async function writeFact(db: Database, key: string, value: string): Promise<void> {
  const query = db.insertInto('meta').values({ key, value });
  await query.onConflict((conflict) => conflict.column('key').doUpdateSet({ value })).execute();
}
