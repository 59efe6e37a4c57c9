import type { DeliveryInfo, WebhookInfo } from '../../../api/webhooks.ts';
import type { ServerParts } from '../../parts.ts';
import { addWebhook, redeliver, removeWebhook, requireWebhook } from '../../services/webhooks/manage-webhooks.ts';
import type { DeliveryRecord, WebhookRecord } from '../../storage/records.ts';
import { webhookOperations } from './operations/webhooks.ts';
import { type Route, route } from './routes.ts';

/** Creates the routes for webhooks. The routes require an admin token that is valid for all projects. */
export function webhookRoutes(parts: ServerParts): readonly Route[] {
  const { webhooks } = parts.store;
  return [
    route(webhookOperations.list, async () => {
      const [records, pending] = [await webhooks.list(), await webhooks.pending()];
      return { webhooks: records.map((record) => webhookInfo(record, pending.get(record.id)?.events)) };
    }),

    route(webhookOperations.add, async ({ token, body }) => {
      const added = await addWebhook(parts, await body(), token.id);
      return { ...webhookInfo(added), secret: added.secret };
    }),

    route(webhookOperations.remove, async ({ params, token }) => {
      await removeWebhook(parts, params.webhookId, token.id);
      return { removed: params.webhookId };
    }),

    route(webhookOperations.deliveries, async ({ params, query: { before, limit } }) => {
      const { id } = await requireWebhook(parts, params.webhookId);
      const deliveries = (await webhooks.deliveries(id, { before, limit })).map(deliveryInfo);
      return { deliveries, next: deliveries.length < limit ? undefined : deliveries.at(-1)?.id };
    }),

    route(webhookOperations.redeliver, async ({ params, token }) =>
      deliveryInfo(await redeliver(parts, params.webhookId, params.deliveryId, token.id)),
    ),
  ];
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
