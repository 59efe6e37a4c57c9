import { type Role, roles } from '../../../api/release.ts';
import type { TokenRecord } from '../records.ts';
import type { TokenStore } from '../store.ts';
import { writeAudit } from './audit.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';
import type { Tables } from './tables.ts';

export function sqliteTokens(connection: Connection, committer: Committer): TokenStore {
  const { sql } = connection;
  return {
    create: ({ id, hash, role, project, name, createdAt }, audit) =>
      committer.write('at-once', () => {
        const row = { id, hash, role, project: project ?? null, name, created_at: createdAt };
        connection.run(sql.insertInto('tokens').values(row));
        writeAudit(connection, audit);
      }),

    async find(id) {
      const row = connection.first(sql.selectFrom('tokens').selectAll().where('id', '=', id));
      return row && toRecord(row);
    },

    async list() {
      return connection.all(sql.selectFrom('tokens').selectAll().orderBy('created_at').orderBy('id')).map(toRecord);
    },

    revoke: (id, audit) =>
      committer.write('at-once', () => {
        const wasThere = connection.run(sql.deleteFrom('tokens').where('id', '=', id)) > 0;
        if (wasThere) writeAudit(connection, audit);
        return wasThere;
      }),
  };
}

function toRecord({ id, hash, role, project, name, created_at }: Tables['tokens']): TokenRecord {
  return { id, hash, role: knownRole(role), project: project ?? undefined, name, createdAt: created_at };
}

/** Returns a known role; an unknown one gets the fewest permissions. */
function knownRole(name: string): Role {
  return roles.find((role) => role === name) ?? 'read';
}
