import { Gauge, type Registry } from 'prom-client';

/** Events that wait for a webhook. */
export interface PendingEvents {
  readonly events: number;
  /** Time at which the first of them was queued, in milliseconds since 1970. */
  readonly since: number;
}

/**
 * Adds gauges with the events that wait for webhooks to a registry that is used for one response. A webhook without waiting events has no
 * series, and a server has at most 50 webhooks.
 *
 * @param now milliseconds since 1970
 */
export function addWebhookGauges(registry: Registry, pending: ReadonlyMap<number, PendingEvents>, now: number): void {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['webhook'], registers: [registry] });
  const waiting = gauge('ota_webhook_pending_events', 'Events that wait for a webhook, by its ID');
  const age = gauge('ota_webhook_pending_seconds', 'Age of the oldest event that waits for a webhook, by its ID');
  for (const [webhook, { events, since }] of pending) {
    waiting.set({ webhook }, events);
    age.set({ webhook }, Math.max(0, (now - since) / 1000));
  }
}
