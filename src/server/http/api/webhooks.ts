import { Hono } from 'hono';
import * as v from 'valibot';
import { type DeliveryInfo, type WebhookInfo, webhookRequestSchema } from '../../../api/webhooks.ts';
import type { ServerParts } from '../../parts.ts';
import { addWebhook, redeliver, removeWebhook, requireWebhook } from '../../services/webhooks/manage-webhooks.ts';
import type { DeliveryRecord, WebhookRecord } from '../../storage/records.ts';
import { checked, numberIn, readBody, requireAction, type Session } from './session.ts';

const mostListed = 1000;
const idIn = v.pipe(v.string(), v.regex(/^\d{1,15}$/, 'must be an ID'), v.transform(Number));

/** Creates the routes for webhooks. The routes require an admin token that is valid for all projects. */
export function webhookRoutes(parts: ServerParts): Hono<Session> {
  const { webhooks } = parts.store;
  const routes = new Hono<Session>();
  const admin = requireAction(parts, 'administer');

  routes.get('/webhooks', admin, async (context) => {
    const [records, pending] = [await webhooks.list(), await webhooks.pending()];
    return context.json({ webhooks: records.map((record) => webhookInfo(record, pending.get(record.id))) });
  });

  routes.post('/webhooks', admin, async (context) => {
    const request = await readBody(context, webhookRequestSchema);
    const added = await addWebhook(parts, request, context.get('token').id);
    return context.json({ ...webhookInfo(added), secret: added.secret }, 201);
  });

  routes.delete('/webhooks/:id', admin, async (context) => {
    const id = checked(idIn, context.req.param('id'));
    await removeWebhook(parts, id, context.get('token').id);
    return context.json({ removed: id });
  });

  routes.get('/webhooks/:id/deliveries', admin, async (context) => {
    const { id } = await requireWebhook(parts, checked(idIn, context.req.param('id')));
    const limit = Math.max(1, numberIn(context, 'limit', 100, mostListed));
    const before = numberIn(context, 'before', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const deliveries = (await webhooks.deliveries(id, { before, limit })).map(deliveryInfo);
    return context.json({ deliveries, next: deliveries.length < limit ? undefined : deliveries.at(-1)?.id });
  });

  routes.post('/webhooks/:id/deliveries/:delivery/redeliver', admin, async (context) => {
    const id = checked(idIn, context.req.param('id'));
    const delivery = checked(idIn, context.req.param('delivery'));
    return context.json(deliveryInfo(await redeliver(parts, id, delivery, context.get('token').id)), 201);
  });

  return routes;
}

/** Describes a webhook without its secrets. */
function webhookInfo(record: WebhookRecord, pending = 0): WebhookInfo {
  const { id, url, events, project, format, allowPrivate, createdAt } = record;
  const { origin } = new URL(url);
  const facts = { id, origin, events, project, format, allowPrivate };
  return { ...facts, createdAt: new Date(createdAt).toISOString(), pending };
}

function deliveryInfo({
  id,
  eventId,
  event,
  at,
  state,
  attempts,
  status,
  error,
  nextAt,
}: DeliveryRecord): DeliveryInfo {
  const next = state === 'pending' ? new Date(nextAt).toISOString() : undefined;
  return { id, eventId, event, at: new Date(at).toISOString(), state, attempts, status, error, nextAt: next };
}
