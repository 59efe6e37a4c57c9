import { type Role, roles } from '../../../api/release.ts';
import type { TokenRecord } from '../records.ts';
import type { TokenStore } from '../store.ts';
import { writeAudit } from './audit.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';
import type { Tables } from './tables.ts';

export function sqliteTokens(connection: Connection, committer: Committer): TokenStore {
  const { db } = connection;
  const create: TokenStore['create'] = ({ id, hash, roles, channels, project, name, createdAt }, audit) =>
    committer.write('sync', () => {
      const lists = { roles: roles.join(' '), channels: channels.join(' ') };
      const row = { id, hash, ...lists, project: project ?? null, name, created_at: createdAt };
      connection.run(db.insertInto('tokens').values(row));
      writeAudit(connection, audit);
    });
  return {
    create,

    createFirst: async (token, audit) => {
      if ((await db.selectFrom('tokens').select('id').executeTakeFirst()) !== undefined) return false;
      await create(token, audit);
      return true;
    },

    async find(id) {
      const row = await db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toRecord(row);
    },

    async list() {
      const rows = await db.selectFrom('tokens').selectAll().orderBy('created_at').orderBy('id').execute();
      return rows.map(toRecord);
    },

    revoke: (id, audit) =>
      committer.write('sync', () => {
        const admins = connection.all(db.selectFrom('tokens').selectAll()).map(toRecord).filter(isAdminOfAll);
        if (admins.length === 1 && admins[0]?.id === id) return 'last-admin';
        const wasThere = connection.run(db.deleteFrom('tokens').where('id', '=', id)) > 0;
        if (wasThere) writeAudit(connection, audit);
        return wasThere ? 'revoked' : 'unknown';
      }),
  };
}

function isAdminOfAll({ roles, project }: TokenRecord): boolean {
  return roles.includes('admin') && project === undefined;
}

function toRecord({ id, hash, roles, channels, project, name, created_at }: Tables['tokens']): TokenRecord {
  const lists = { roles: knownRoles(roles), channels: channels.split(' ').filter((channel) => channel !== '') };
  return { id, hash, ...lists, project: project ?? undefined, name, createdAt: created_at };
}

/** Returns the known roles among these names; an unknown role permits nothing. */
function knownRoles(names: string): readonly Role[] {
  const held = names.split(' ');
  return roles.filter((role) => held.includes(role));
}
