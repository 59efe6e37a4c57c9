import { abortAfter } from '../../../api/abort-after.ts';
import type { Log } from '../../observability/log.ts';
import type { DeliveryRecord, WebhookRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import type { Outage } from '../outage.ts';
import { messageFor } from './message.ts';
import { post } from './post.ts';
import { signatureHeaders } from './signature.ts';

/** Time limit for one attempt, including name resolution and the response. */
const attemptMs = 10_000;
const firstWaitMs = 5000;
const longestWaitMs = 60 * 60_000;
/** Time after which an event that a receiver does not accept is given up: a weekend. */
const giveUpAfterMs = 3 * 24 * 60 * 60_000;

/** Dependencies of {@link Deliveries}. */
interface Needs {
  readonly store: Pick<Store, 'webhooks'>;
  readonly log: Log;
  readonly outage: Pick<Outage, 'note'>;
  /** Clock for the waits, in milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  /** Time limit for one attempt. */
  readonly attemptMs?: number | undefined;
}

/**
 * Sends queued events to webhooks. The events of a webhook are sent in order, one at a time; webhooks do not wait for each other. Only the
 * leading process sends events. An event is sent again if the process ends before it has stored the result.
 */
export class Deliveries {
  readonly #needs: Needs;
  readonly #active = new Map<number, Promise<void>>();

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Starts to send the events that are due, and returns without waiting for the receivers. */
  async start(signal: AbortSignal): Promise<void> {
    for (const { webhook } of await this.#needs.store.webhooks.due(this.#now())) {
      if (this.#active.has(webhook) || signal.aborted) continue;
      const work = this.#sendAll(webhook, signal)
        .catch((error: unknown) => this.#report(webhook, error))
        .finally(() => this.#active.delete(webhook));
      this.#active.set(webhook, work);
    }
  }

  /** Waits until no events are being sent. */
  async idle(): Promise<void> {
    while (this.#active.size > 0) await Promise.all(this.#active.values());
  }

  /** Sends the events of a webhook until none is due. */
  async #sendAll(id: number, signal: AbortSignal): Promise<void> {
    const { webhooks } = this.#needs.store;
    while (!signal.aborted) {
      const [webhook, delivery] = [await webhooks.find(id), await webhooks.nextOf(id)];
      if (webhook === undefined || delivery === undefined || delivery.nextAt > this.#now()) return;
      const outcome = await this.#attempt(webhook, delivery, signal);
      // The receiver may have the event, or not: the next leader sends it again.
      if (signal.aborted && outcome.error !== undefined) return;
      const result = this.#resultOf(delivery, outcome);
      await webhooks.saveAttempt(result);
      this.#logFailure(webhook, delivery, result);
    }
  }

  async #attempt(
    { url, secret, format, allowPrivate }: WebhookRecord,
    delivery: DeliveryRecord,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const limitMs = this.#needs.attemptMs ?? attemptMs;
    const limit = abortAfter(limitMs);
    const ended = AbortSignal.any([signal, limit]);
    const { body, headers } = messageFor(format, delivery);
    const signed = signatureHeaders(secret, { eventId: delivery.eventId, atMs: this.#now(), body });
    try {
      const request = { url, allowPrivate, headers: { ...headers, ...signed, 'user-agent': 'ota-hooks' }, body };
      const status = await within(post(request, ended), ended);
      return { status, error: problemOf(status) };
    } catch (error) {
      if (limit.aborted) return { error: `no response within ${limitMs / 1000} seconds` };
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }

  #resultOf(delivery: DeliveryRecord, { status, error }: Outcome): Result {
    const { id, at } = delivery;
    const attempts = delivery.attempts + 1;
    const now = this.#now();
    if (error === undefined) return { id, attempts, state: 'delivered', nextAt: now, status };
    const isGivenUp = now - at >= giveUpAfterMs;
    const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** (attempts - 1));
    return { id, attempts, state: isGivenUp ? 'failed' : 'pending', nextAt: now + waitMs, status, error };
  }

  #logFailure({ id, project }: WebhookRecord, { event }: DeliveryRecord, { attempts, state, error }: Result): void {
    const fields = { webhook: id, project, event, attempts, error };
    if (state === 'failed') this.#needs.log.error(fields, 'Webhook event given up');
    else if (error !== undefined && attempts === 1) this.#needs.log.warn(fields, 'Webhook not delivered; trying again');
  }

  #report(webhook: number, error: unknown): void {
    const { outage, log } = this.#needs;
    if (!outage.note(error)) log.error({ err: error, webhook }, 'Webhook events not sent');
  }

  #now(): number {
    return this.#needs.now?.() ?? Date.now();
  }
}

interface Outcome {
  readonly status?: number | undefined;
  /** Undefined if the receiver has accepted the event. */
  readonly error?: string | undefined;
}

type Result = Parameters<Store['webhooks']['saveAttempt']>[0];

function problemOf(status: number): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  return status >= 300 && status < 400 ? `HTTP status ${status}: redirects are not followed` : `HTTP status ${status}`;
}

/** Rejects when the signal aborts. Name resolution cannot be aborted. */
async function within<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const stopped = new AbortController();
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { signal: stopped.signal });
      }),
    ]);
  } finally {
    stopped.abort();
    // The loser of the race must not become an unhandled rejection.
    work.catch(() => undefined);
  }
}
