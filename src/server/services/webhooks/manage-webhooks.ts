import type * as v from 'valibot';
import type { webhookRequestSchema } from '../../../api/webhooks.ts';
import type { Actor, DeliveryRecord, WebhookRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import { DomainError } from '../domain-error.ts';
import { auditEntryOf } from '../events/audit-entry.ts';
import type { DomainEvents } from '../events/domain-events.ts';
import { PrivateAddressError, resolveAddress } from './public-address.ts';
import { newWebhookSecret } from './signature.ts';

/** Maximum number of webhooks: each has a connection of its own. */
const mostWebhooks = 50;

interface Parts {
  readonly store: Pick<Store, 'webhooks'>;
  readonly events: Pick<DomainEvents, 'emit'>;
}

type Request = v.InferOutput<typeof webhookRequestSchema>;

/**
 * Adds a webhook with a new secret.
 *
 * @throws DomainError invalid if the address is not permitted, conflict if there are too many webhooks
 */
export async function addWebhook({ store, events }: Parts, request: Request, by: Actor): Promise<WebhookRecord> {
  const { url, allowPrivate } = request;
  await requireReachable(url, { allowPrivate });
  const webhook = { ...request, secret: newWebhookSecret(), createdAt: Date.now() };
  const eventOf = (added: WebhookRecord) => ({ type: 'webhook.added' as const, ...factsOf(added, by) });
  const added = await store.webhooks.add(webhook, mostWebhooks, (record) => auditEntryOf(eventOf(record)));
  if (added === undefined) {
    const hint = 'Remove a webhook with `ota-hooks server webhooks remove`.';
    throw new DomainError('conflict', `the server already has ${mostWebhooks} webhooks`, hint);
  }
  events.emit(eventOf(added));
  return added;
}

/** Resolves the host, so that a wrong address is reported when the webhook is added and not only with the first event. */
async function requireReachable(url: string, options: { readonly allowPrivate: boolean }): Promise<void> {
  if (!URL.canParse(url)) {
    throw new DomainError('invalid', 'url: must be an http or https URL', 'Correct the listed fields.');
  }
  const target = new URL(url);
  try {
    await resolveAddress(target, options);
  } catch (error) {
    const isPrivate = error instanceof PrivateAddressError;
    const message = isPrivate ? error.message.split(';', 1).join() : `${target.hostname} cannot be resolved`;
    const hint = isPrivate
      ? 'If the receiver is in your own network, pass --allow-private.'
      : 'Check the host name in the URL.';
    throw new DomainError('invalid', message, hint);
  }
}

/**
 * Removes a webhook and its deliveries.
 *
 * @throws DomainError not-found
 */
export async function removeWebhook(parts: Parts, id: number, by: Actor): Promise<void> {
  const record = await requireWebhook(parts, id);
  const event = { type: 'webhook.removed' as const, ...factsOf(record, by) };
  if (!(await parts.store.webhooks.remove(id, auditEntryOf(event)))) throw unknownWebhook(id);
  parts.events.emit(event);
}

/**
 * Queues the event of a delivery again, with the same event ID.
 *
 * @throws DomainError not-found
 */
export async function redeliver(parts: Parts, id: number, delivery: number, by: Actor): Promise<DeliveryRecord> {
  const record = await requireWebhook(parts, id);
  const event = { type: 'webhook.redelivered' as const, ...factsOf(record, by), delivery };
  const queued = await parts.store.webhooks.redeliver(id, delivery, event.at, auditEntryOf(event));
  if (queued === undefined) {
    const hint = `List deliveries with \`ota-hooks server webhooks deliveries ${id}\`.`;
    throw new DomainError('not-found', `delivery ${delivery} of webhook ${id} not found`, hint);
  }
  parts.events.emit(event);
  return queued;
}

/** @throws DomainError not-found */
export async function requireWebhook({ store }: Pick<Parts, 'store'>, id: number): Promise<WebhookRecord> {
  const record = await store.webhooks.find(id);
  if (record === undefined) throw unknownWebhook(id);
  return record;
}

function unknownWebhook(id: number): DomainError {
  return new DomainError(
    'not-found',
    `webhook ${id} not found`,
    'List webhooks with `ota-hooks server webhooks list`.',
  );
}

/** Describes a webhook without its secrets. */
function factsOf({ id, url, events, project, format, allowPrivate }: WebhookRecord, by: Actor) {
  const facts = { webhook: id, origin: new URL(url).origin, events, format, allowPrivate };
  return { actor: by, at: Date.now(), project, ...facts };
}
