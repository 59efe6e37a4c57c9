import { randomUUID } from 'node:crypto';
import type { Insertable } from 'kysely';
import { webhookEvents } from '../../../api/webhooks.ts';
import type { NewAuditEntry } from '../store.ts';
import type { Database } from './engine.ts';
import type { Tables } from './tables.ts';

/** Queues the events that webhooks receive, within the transaction that makes the changes. */
export async function queueEvents(db: Database, entries: readonly NewAuditEntry[]): Promise<void> {
  const events = entries.filter(({ action }) => webhookEvents.some((event) => event === action));
  if (events.length === 0) return;
  const targets = await db.selectFrom('webhooks').select(['id', 'events', 'project']).orderBy('id').execute();
  const rows = events.flatMap(({ action, at, actor, project, detail }) => {
    const event_id = `msg_${randomUUID().replaceAll('-', '')}`;
    const payload = JSON.stringify({
      type: action,
      timestamp: new Date(at).toISOString(),
      data: { project, actor, ...detail },
    });
    return targets
      .filter((target) => target.events.split(' ').includes(action))
      .filter((target) => target.project === null || target.project === project)
      .map(({ id }) => newDelivery({ webhook_id: id, event_id, event: action, payload, at }));
  });
  if (rows.length > 0) await db.insertInto('webhook_deliveries').values(rows).execute();
}

type NewRow = Pick<Insertable<Tables['webhook_deliveries']>, 'webhook_id' | 'event_id' | 'event' | 'payload' | 'at'>;

/** Returns the row for an event that is sent as soon as possible. */
export function newDelivery(row: NewRow) {
  return { ...row, state: 'pending', attempts: 0, next_at: row.at, status: null, error: null };
}
