import * as v from 'valibot';
import { deliveryInfoSchema, webhookInfoSchema, webhookRequestSchema } from '../../../../api/webhooks.ts';
import { listLimit, listPosition } from './integer-text.ts';
import { operation } from './operation.ts';

export const webhookOperations = {
  list: operation({
    id: 'listWebhooks',
    group: 'webhooks',
    method: 'get',
    path: '/webhooks',
    summary: 'Lists the webhooks, without their URLs and secrets.',
    action: 'administer',
    statuses: [200],
    response: v.strictObject({ webhooks: v.array(webhookInfoSchema) }),
  }),
  add: operation({
    id: 'addWebhook',
    group: 'webhooks',
    method: 'post',
    path: '/webhooks',
    summary: 'Adds a webhook.',
    description: 'The response is the only one that contains the secret with which the receiver verifies signatures.',
    action: 'administer',
    body: webhookRequestSchema,
    statuses: [201],
    response: webhookInfoSchema,
    problems: ['conflict'],
  }),
  remove: operation({
    id: 'removeWebhook',
    group: 'webhooks',
    method: 'delete',
    path: '/webhooks/{webhookId}',
    summary: 'Removes a webhook and its deliveries.',
    action: 'administer',
    statuses: [200],
    response: v.strictObject({ removed: v.number() }),
    problems: ['not-found'],
  }),
  deliveries: operation({
    id: 'listDeliveries',
    group: 'webhooks',
    method: 'get',
    path: '/webhooks/{webhookId}/deliveries',
    summary: 'Lists the deliveries of a webhook, newest first.',
    action: 'administer',
    query: v.strictObject({ before: listPosition, limit: listLimit(1000, 100) }),
    statuses: [200],
    response: v.strictObject({ deliveries: v.array(deliveryInfoSchema), next: v.optional(v.number()) }),
    problems: ['not-found'],
  }),
  redeliver: operation({
    id: 'redeliverEvent',
    group: 'webhooks',
    method: 'post',
    path: '/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver',
    summary: 'Queues the event of a delivery again, with the same event ID.',
    action: 'administer',
    statuses: [201],
    response: deliveryInfoSchema,
    problems: ['not-found'],
  }),
} as const;
