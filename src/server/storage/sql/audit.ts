import type { Selectable } from 'kysely';
import type { AuditEntry } from '../records.ts';
import type { AuditFilter, AuditStore, NewAuditEntry } from '../store.ts';
import type { Database, Engine } from './engine.ts';
import { queueEvents } from './queue-events.ts';
import { storedJson } from './stored-json.ts';
import type { Tables } from './tables.ts';

/** Writes audit entries, and queues the events for webhooks, in the same transaction as the change. Returns the IDs of the entries. */
export async function writeAudit(db: Database, entries: readonly NewAuditEntry[]): Promise<readonly number[]> {
  if (entries.length === 0) return [];
  const rows = entries.map(({ at, actor, action, project, detail }) => {
    const mac = typeof detail['mac'] === 'string' ? detail['mac'] : null;
    return { at, actor, action, project: project ?? null, mac, detail: JSON.stringify(detail) };
  });
  const written = await db.insertInto('audit').values(rows).returning('id').execute();
  await queueEvents(db, entries);
  return written.map(({ id }) => id);
}

export function sqlAudit({ db, transaction }: Engine): AuditStore {
  return {
    async add(entry) {
      await writeAudit(db, [entry]);
    },

    record: (entry) =>
      transaction(async (change) => {
        const [id] = await writeAudit(change, [entry]);
        if (id === undefined) throw new Error('the audit entry has no ID');
        return id;
      }),

    async list({ before = Number.MAX_SAFE_INTEGER, limit, ...filter }) {
      const query = filtered(db, filter).where('id', '<', before).orderBy('id', 'desc').limit(limit);
      return (await query.execute()).map(toEntry);
    },

    async ofDevice(project, mac, limit) {
      const query = db.selectFrom('audit').selectAll().where('project', '=', project).where('mac', '=', mac);
      return (await query.orderBy('id', 'desc').limit(limit).execute()).map(toEntry);
    },

    async after(id, limit, filter = {}) {
      const query = filtered(db, filter).where('id', '>', id).orderBy('id').limit(limit);
      return (await query.execute()).map(toEntry);
    },

    clean: (changed, removed) =>
      transaction(async (change) => {
        for (const { id, detail } of changed) {
          await change
            .updateTable('audit')
            .set({ detail: JSON.stringify(detail) })
            .where('id', '=', id)
            .execute();
        }
        if (removed.length > 0) await change.deleteFrom('audit').where('id', 'in', removed).execute();
      }, 'crash'),
  };
}

function filtered(db: Database, { actors, action, project, since, signingLog }: AuditFilter) {
  let query = db.selectFrom('audit').selectAll();
  if (actors !== undefined) query = query.where('actor', 'in', [...actors, '']);
  if (project !== undefined) query = query.where('project', '=', project);
  if (since !== undefined) query = query.where('at', '>=', since);
  if (signingLog !== undefined) query = query.where('detail', 'like', `{"log":"${signingLog}"%`);
  if (action === undefined) return query;
  return action.includes('.')
    ? query.where('action', '=', action)
    : query.where('action', '>=', `${action}.`).where('action', '<', `${action}/`);
}

function toEntry({ id, at, actor, action, project, detail }: Selectable<Tables['audit']>): AuditEntry {
  const what = `the detail of audit entry ${id}`;
  return { id, at, actor, action, project: project ?? undefined, detail: storedJson(detail, what) };
}
