import { type Role, roles } from '../../../api/release.ts';
import type { TokenRecord } from '../records.ts';
import type { TokenStore } from '../store.ts';
import { writeAudit } from './audit.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';
import type { Tables } from './tables.ts';

export function sqliteTokens(connection: Connection, committer: Committer): TokenStore {
  const { db } = connection;
  return {
    create: ({ id, hash, role, project, name, createdAt }, audit) =>
      committer.write('sync', () => {
        const row = { id, hash, role, project: project ?? null, name, created_at: createdAt };
        connection.run(db.insertInto('tokens').values(row));
        writeAudit(connection, audit);
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
      committer.write('sync', () => {
        const wasThere = connection.run(db.deleteFrom('tokens').where('id', '=', id)) > 0;
        if (wasThere) writeAudit(connection, audit);
        return wasThere;
      }),
  };
}

function toRecord({ id, hash, role, project, name, created_at }: Tables['tokens']): TokenRecord {
  return { id, hash, role: knownRole(role), project: project ?? undefined, name, createdAt: created_at };
}

/** Returns a valid role. An invalid role is mapped to the role with the fewest permissions. */
function knownRole(name: string): Role {
  return roles.find((role) => role === name) ?? 'read';
}
