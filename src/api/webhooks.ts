import * as v from 'valibot';
import type { DeepReadonly } from '../core/model/fields.ts';
import { resourceName } from './release.ts';

/** Events of single devices. A webhook receives at most {@link mostDeviceEvents} of them within an hour. */
export const deviceWebhookEvents = ['device.updated', 'device.failed', 'device.blocked'] as const;
export const mostDeviceEvents = 100;

/** Events that a webhook can receive. Each is queued in the transaction that makes the change. */
export const webhookEvents = [
  'rollout.started',
  'rollout.stage-opened',
  'rollout.paused',
  'rollout.resumed',
  'rollout.halted',
  'rollout.aborted',
  'rollout.rolled-back',
  'rollout.completed',
  'rollout.stalled',
  'rollout.progressed',
  'release.published',
  'release.promoted',
  'release.yanked',
  'approval.requested',
  'approval.granted',
  'approval.declined',
  ...deviceWebhookEvents,
] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

/** Bodies: `standard` is JSON as described by Standard Webhooks; the others are messages for these services. */
export const webhookFormats = ['standard', 'ntfy', 'slack', 'discord'] as const;
export type WebhookFormat = (typeof webhookFormats)[number];

export const deliveryStates = ['pending', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** URL of a webhook. It is a secret, because a chat URL authorizes everyone who knows it. */
const webhookUrl = v.pipe(
  v.string('must be text'),
  v.maxLength(2000, 'must be at most 2000 characters'),
  v.regex(/^https?:\/\/[^\s/]/i, 'must be an http or https URL'),
);

export const webhookRequestSchema = v.strictObject({
  url: webhookUrl,
  events: v.pipe(
    v.array(v.picklist(webhookEvents, `must be one of ${webhookEvents.join(', ')}`)),
    v.minLength(1, 'must contain at least one event'),
    v.maxLength(webhookEvents.length, 'must contain each event once'),
  ),
  /** Only project whose events are sent. Absent for all projects. */
  project: v.optional(resourceName),
  format: v.optional(v.picklist(webhookFormats, `must be ${webhookFormats.join(', ')}`), 'standard'),
  /** True to permit private, loopback and link-local addresses. */
  allowPrivate: v.optional(v.boolean(), false),
});

const time = v.pipe(v.string(), v.isoTimestamp());

export const webhookInfoSchema = v.strictObject({
  id: v.number(),
  /** Scheme, host and port of the URL. The path and the query are secret. */
  origin: v.string(),
  events: v.array(v.picklist(webhookEvents)),
  project: v.optional(v.string()),
  format: v.picklist(webhookFormats),
  allowPrivate: v.boolean(),
  createdAt: time,
  /** Number of events that are waiting. */
  pending: v.number(),
  /** Key with which the receiver verifies signatures. The server returns it only when the webhook is created. */
  secret: v.optional(v.string()),
});
export type WebhookInfo = DeepReadonly<v.InferOutput<typeof webhookInfoSchema>>;

export const deliveryInfoSchema = v.strictObject({
  id: v.number(),
  /** ID of the event, in the header `webhook-id`. It is the same for each attempt and each redelivery. */
  eventId: v.string(),
  event: v.picklist(webhookEvents),
  at: time,
  state: v.picklist(deliveryStates),
  attempts: v.number(),
  /** HTTP status of the last response. */
  status: v.optional(v.number()),
  /** Reason why the last attempt failed. */
  error: v.optional(v.string()),
  /** Time of the next attempt. */
  nextAt: v.optional(time),
});
export type DeliveryInfo = DeepReadonly<v.InferOutput<typeof deliveryInfoSchema>>;
