import type { Selectable } from 'kysely';
import { type Role, roles } from '../../../api/release.ts';
import { personNamed } from '../person-id.ts';
import type { TokenRecord } from '../records.ts';
import type { NewAuditEntry, TokenStore } from '../store.ts';
import { writeAudit } from './audit.ts';
import type { Database, Engine } from './engine.ts';
import type { Tables } from './tables.ts';

export function sqlTokens({ db, transaction, longTransaction, lock }: Engine): TokenStore {
  return {
    create: (token, audit) => transaction((change) => create(change, token, audit)),

    createFirst: (token, audit, keep) =>
      // `keep` must run only once.
      longTransaction(async (change) => {
        await lock(change, 'tokens');
        const others = change.selectFrom('tokens').select('id').limit(1);
        if ((await others.executeTakeFirst()) !== undefined) return false;
        await keep();
        await create(change, token, audit);
        return true;
      }),

    async find(id) {
      const row = await db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toRecord(row);
    },

    async list() {
      const rows = await db.selectFrom('tokens').selectAll().orderBy('created_at').orderBy('id').execute();
      return rows.map(toRecord);
    },

    revoke: (id, audit) =>
      transaction(async (change) => {
        await lock(change, 'tokens');
        const all = (await change.selectFrom('tokens').selectAll().execute()).map(toRecord);
        const admins = all.filter(isAdminOfAll);
        if (admins.length === 1 && admins[0]?.id === id) return 'last-admin';
        if (!all.some((token) => token.id === id)) return 'unknown';
        await change.deleteFrom('tokens').where('id', '=', id).execute();
        await writeAudit(change, [audit]);
        return 'revoked';
      }),
  };
}

async function create(db: Database, token: TokenRecord, audit: NewAuditEntry): Promise<void> {
  const { id, hash, roles, channels, project, name, createdAt } = token;
  const lists = { roles: roles.join(' '), channels: channels.join(' ') };
  const row = { id, hash, ...lists, project: project ?? null, name, created_at: createdAt };
  await db.insertInto('tokens').values(row).execute();
  await writeAudit(db, [audit]);
}

/** People do not count: without the proxy that logs them in, they have no access. */
function isAdminOfAll({ id, roles, project }: TokenRecord): boolean {
  return roles.includes('admin') && project === undefined && personNamed(id) === undefined;
}

function toRecord({ id, hash, roles, channels, project, name, created_at }: Selectable<Tables['tokens']>): TokenRecord {
  const lists = { roles: knownRoles(roles), channels: channels.split(' ').filter((channel) => channel !== '') };
  return { id, hash, ...lists, project: project ?? undefined, name, createdAt: created_at };
}

/** Returns the known roles among these names; an unknown role permits nothing. */
function knownRoles(names: string): readonly Role[] {
  const held = names.split(' ');
  return roles.filter((role) => held.includes(role));
}
