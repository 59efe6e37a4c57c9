import { randomUUID } from 'node:crypto';
import type { Insertable } from 'kysely';
import { deviceWebhookEvents, mostDeviceEvents, webhookEvents } from '../../../api/webhooks.ts';
import type { NewAuditEntry } from '../store.ts';
import type { Database } from './engine.ts';
import type { Tables } from './tables.ts';

const hourMs = 60 * 60_000;

/** Queues the events that webhooks receive, within the transaction that makes the changes. */
export async function queueEvents(db: Database, entries: readonly NewAuditEntry[]): Promise<void> {
  const events = entries.filter(({ action }) => webhookEvents.some((event) => event === action));
  if (events.length === 0) return;
  const targets = await db.selectFrom('webhooks').select(['id', 'events', 'project']).orderBy('id').execute();
  for (const { action, at, actor, project, detail } of events) {
    const event_id = `msg_${randomUUID().replaceAll('-', '')}`;
    const facts = { type: action, timestamp: new Date(at).toISOString() };
    for (const target of targets) {
      if (!target.events.split(' ').includes(action)) continue;
      if (target.project !== null && target.project !== project) continue;
      const room = isOfDevice(action) ? await roomForDevices(db, target.id, at) : undefined;
      if (room === 0) continue;
      const limit = room === 1 ? { limitReached: true } : {};
      const payload = JSON.stringify({ ...facts, data: { project, actor, ...detail, ...limit } });
      const row = newDelivery({ webhook_id: target.id, event_id, event: action, payload, at });
      await db.insertInto('webhook_deliveries').values(row).execute();
    }
  }
}

function isOfDevice(action: string): boolean {
  return deviceWebhookEvents.some((event) => event === action);
}

/** Returns how many more events of devices a webhook may receive within the hour: a rollout to a large fleet must not flood a chat. */
async function roomForDevices(db: Database, webhook: number, at: number): Promise<number> {
  const { queued } = await db
    .selectFrom('webhook_deliveries')
    .select(({ fn }) => fn.countAll<number>().as('queued'))
    .where('webhook_id', '=', webhook)
    .where('event', 'in', deviceWebhookEvents)
    .where('at', '>', at - hourMs)
    .executeTakeFirstOrThrow();
  return Math.max(0, mostDeviceEvents - queued);
}

type NewRow = Pick<Insertable<Tables['webhook_deliveries']>, 'webhook_id' | 'event_id' | 'event' | 'payload' | 'at'>;

/** Returns the row for an event that is sent as soon as possible. */
export function newDelivery(row: NewRow) {
  return { ...row, state: 'pending', attempts: 0, next_at: row.at, status: null, error: null };
}
