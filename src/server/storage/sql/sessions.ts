import type { Selectable } from 'kysely';
import type { SessionStore, StoredSession } from '../store.ts';
import type { Engine } from './engine.ts';
import type { Tables } from './tables.ts';

export function sqlSessions({ db, transaction }: Pick<Engine, 'db' | 'transaction'>): SessionStore {
  return {
    async open({ key, token, formToken, endsAt }, { perToken, total }) {
      await transaction(async (change) => {
        await change.insertInto('sessions').values({ key, token, form_token: formToken, ends_at: endsAt }).execute();
        const last = change.selectFrom('sessions').select('key').orderBy('ends_at', 'desc').orderBy('key');
        const beyond = [last.where('token', '=', token).offset(perToken), last.offset(total)];
        for (const surplus of beyond) {
          // SQLite requires a limit with an offset.
          const query = change.deleteFrom('sessions').where('key', 'in', surplus.limit(perToken + total));
          await query.where('key', '!=', key).execute();
        }
      });
    },

    async find(key) {
      const row = await db.selectFrom('sessions').selectAll().where('key', '=', key).executeTakeFirst();
      return row && toSession(row);
    },

    async close(key) {
      await db.deleteFrom('sessions').where('key', '=', key).execute();
    },

    async removeEnded(at) {
      await db.deleteFrom('sessions').where('ends_at', '<', at).execute();
    },
  };
}

function toSession({ key, token, form_token, ends_at }: Selectable<Tables['sessions']>): StoredSession {
  return { key, token, formToken: form_token, endsAt: ends_at };
}
