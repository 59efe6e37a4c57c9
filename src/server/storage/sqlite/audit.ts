import { type Selectable, sql } from 'kysely';
import type { AuditEntry } from '../records.ts';
import type { AuditStore, NewAuditEntry } from '../store.ts';
import type { Committer } from './committer.ts';
import type { Connection } from './connection.ts';
import { storedJson } from './stored-json.ts';
import type { Tables } from './tables.ts';

/** Writes an audit entry in the same transaction as the change. */
export function writeAudit(connection: Connection, { at, actor, action, project, detail }: NewAuditEntry): void {
  const values = { at, actor, action, project: project ?? null, detail: JSON.stringify(detail) };
  connection.insert(connection.db.insertInto('audit').values(values));
}

export function sqliteAudit(connection: Connection, committer: Committer): AuditStore {
  const { db } = connection;
  const mac = sql<string>`detail ->> 'mac'`;
  return {
    add: (entry) => committer.write('lazy', () => writeAudit(connection, entry)),

    async list({ before = Number.MAX_SAFE_INTEGER, limit }) {
      const query = db.selectFrom('audit').selectAll().where('id', '<', before).orderBy('id', 'desc').limit(limit);
      return (await query.execute()).map(toEntry);
    },

    async ofDevice(project, wanted, limit) {
      const query = db
        .selectFrom('audit')
        .selectAll()
        .where('project', '=', project)
        .where(mac, '=', wanted)
        .orderBy('id', 'desc')
        .limit(limit);
      return (await query.execute()).map(toEntry);
    },
  };
}

function toEntry({ id, at, actor, action, project, detail }: Selectable<Tables['audit']>): AuditEntry {
  const what = `the detail of audit entry ${id}`;
  return { id, at, actor, action, project: project ?? undefined, detail: storedJson(detail, what) };
}
