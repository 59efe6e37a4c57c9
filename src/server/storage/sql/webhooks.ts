import type { Selectable } from 'kysely';
import { type WebhookEvent, type WebhookFormat, webhookEvents } from '../../../api/webhooks.ts';
import type { DeliveryRecord, WebhookRecord } from '../records.ts';
import type { WebhookStore } from '../store.ts';
import { writeAudit } from './audit.ts';
import type { Engine } from './engine.ts';
import { newDelivery } from './queue-events.ts';
import type { Tables } from './tables.ts';

export function sqlWebhooks({ db, transaction, lock }: Engine): WebhookStore {
  return {
    add: (webhook, most, audit) =>
      transaction(async (change) => {
        await lock(change, 'webhooks');
        const others = await change.selectFrom('webhooks').select('id').execute();
        if (others.length >= most) return undefined;
        const { url, secret, events, project, format, allowPrivate, createdAt } = webhook;
        const lists = { events: events.join(' '), project: project ?? null, allow_private: allowPrivate ? 1 : 0 };
        const row = { url, secret, ...lists, format, created_at: createdAt };
        const { id } = await change.insertInto('webhooks').values(row).returning('id').executeTakeFirstOrThrow();
        const added = { ...webhook, id };
        await writeAudit(change, [audit(added)]);
        return added;
      }),

    async list() {
      return (await db.selectFrom('webhooks').selectAll().orderBy('id').execute()).map(toWebhook);
    },

    async find(id) {
      const row = await db.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toWebhook(row);
    },

    remove: (id, audit) =>
      transaction(async (change) => {
        const gone = await change.deleteFrom('webhooks').where('id', '=', id).executeTakeFirst();
        if (gone.numDeletedRows === 0n) return false;
        await change.deleteFrom('webhook_deliveries').where('webhook_id', '=', id).execute();
        await writeAudit(change, [audit]);
        return true;
      }),

    async due(at) {
      const first = db
        .selectFrom('webhook_deliveries')
        .select(({ fn }) => fn.min('id').as('id'))
        .where('state', '=', 'pending')
        .groupBy('webhook_id');
      const rows = await db
        .selectFrom('webhook_deliveries')
        .selectAll()
        .where('id', 'in', first)
        .where('next_at', '<=', at)
        .orderBy('id')
        .execute();
      return rows.map(toDelivery);
    },

    async nextOf(webhook) {
      const query = db.selectFrom('webhook_deliveries').selectAll().where('webhook_id', '=', webhook);
      const row = await query.where('state', '=', 'pending').orderBy('id').limit(1).executeTakeFirst();
      return row && toDelivery(row);
    },

    async saveAttempt({ id, attempts, state, nextAt, status, error }) {
      await db
        .updateTable('webhook_deliveries')
        .set({ attempts, state, next_at: nextAt, status: status ?? null, error: error ?? null })
        .where('id', '=', id)
        // Another process may have made the same attempt, when it had just started to lead.
        .where('attempts', '=', attempts - 1)
        .where('state', '=', 'pending')
        .execute();
    },

    async pending() {
      const rows = await db
        .selectFrom('webhook_deliveries')
        .select(({ fn }) => ['webhook_id', fn.countAll<number>().as('events'), fn.min('at').as('since')])
        .where('state', '=', 'pending')
        .groupBy('webhook_id')
        .execute();
      return new Map(rows.map(({ webhook_id, events, since }) => [webhook_id, { events, since }]));
    },

    async deliveries(webhook, { before = Number.MAX_SAFE_INTEGER, limit }) {
      const query = db.selectFrom('webhook_deliveries').selectAll().where('webhook_id', '=', webhook);
      return (await query.where('id', '<', before).orderBy('id', 'desc').limit(limit).execute()).map(toDelivery);
    },

    redeliver: (webhook, delivery, at, audit) =>
      transaction(async (change) => {
        const query = change.selectFrom('webhook_deliveries').selectAll().where('webhook_id', '=', webhook);
        const row = await query.where('id', '=', delivery).executeTakeFirst();
        if (row === undefined) return undefined;
        const { event_id, event, payload } = row;
        const values = newDelivery({ webhook_id: webhook, event_id, event, payload, at });
        const added = await change
          .insertInto('webhook_deliveries')
          .values(values)
          .returningAll()
          .executeTakeFirstOrThrow();
        await writeAudit(change, [audit]);
        return toDelivery(added);
      }),

    async removeOld({ before, most }) {
      await db.deleteFrom('webhook_deliveries').where('state', '!=', 'pending').where('at', '<', before).execute();
      const ids = (await db.selectFrom('webhook_deliveries').select('webhook_id').distinct().execute()).map(
        ({ webhook_id }) => webhook_id,
      );
      for (const id of ids) {
        const ofWebhook = db.selectFrom('webhook_deliveries').select('id').where('webhook_id', '=', id);
        const oldest = ofWebhook.orderBy('id', 'desc').offset(most).limit(1);
        const beyond = db.deleteFrom('webhook_deliveries').where('webhook_id', '=', id).where('id', '<=', oldest);
        await beyond.where('state', '!=', 'pending').execute();
      }
      // Events that were added while their webhook was removed.
      const known = db.selectFrom('webhooks').select('id');
      await db.deleteFrom('webhook_deliveries').where('webhook_id', 'not in', known).execute();
    },
  };
}

function toWebhook(row: Selectable<Tables['webhooks']>): WebhookRecord {
  const { id, url, secret, events, project, format, allow_private, created_at } = row;
  const known = webhookEvents.filter((event) => events.split(' ').includes(event));
  return {
    id,
    url,
    secret,
    events: known,
    project: project ?? undefined,
    // The format was written by `add`.
    format: format as WebhookFormat,
    allowPrivate: allow_private === 1,
    createdAt: created_at,
  };
}

function toDelivery(row: Selectable<Tables['webhook_deliveries']>): DeliveryRecord {
  const { id, webhook_id, event_id, event, payload, at, state, attempts, next_at, status, error } = row;
  return {
    id,
    webhook: webhook_id,
    eventId: event_id,
    // The event and the state were written by this store.
    event: event as WebhookEvent,
    payload,
    at,
    state: state as DeliveryRecord['state'],
    attempts,
    nextAt: next_at,
    status: status ?? undefined,
    error: error ?? undefined,
  };
}
