import { randomUUID } from 'node:crypto';
import type Pg from 'pg';
import type { Notices } from '../../store.ts';
import { type Connected, keepConnected } from './connected.ts';

/** Maximum size of a text; PostgreSQL limits a notification to 7,999 bytes. */
const mostBytes = 7000;
/** Time for which texts are collected into one notification. */
const collectMs = 20;

interface Notification {
  /** Sender. */
  readonly from: string;
  readonly texts: readonly string[];
}

interface Needs {
  readonly channel: string;
  readonly connect: () => Promise<Connected | undefined>;
  /** Sends a notification. */
  readonly notify: (channel: string, payload: string) => Promise<void>;
  readonly escapeIdentifier: typeof Pg.escapeIdentifier;
}

/** Messages between processes with LISTEN and NOTIFY. The process connects when the first listener is added. */
export function postgresNotices({
  channel,
  connect,
  notify,
  escapeIdentifier,
}: Needs): Notices & { close(): Promise<void> } {
  const own = randomUUID();
  const listeners = new Set<(text: string) => void>();
  const closing = new AbortController();
  let listening: Promise<void> | undefined;
  let collected: string[] = [];
  let collectedBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let sending = Promise.resolve();

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const notification: Notification = { from: own, texts: collected };
    collected = [];
    collectedBytes = 0;
    if (notification.texts.length === 0) return;
    const payload = JSON.stringify(notification);
    sending = sending.then(() => notify(channel, payload)).catch(() => undefined);
  }

  async function listen({ client }: Connected): Promise<void> {
    client.on('notification', ({ payload }) => {
      const { from, texts }: Notification = JSON.parse(payload ?? '{}');
      if (from === own) return;
      for (const text of texts) for (const listener of listeners) listener(text);
    });
    await client.query(`LISTEN ${escapeIdentifier(channel)}`);
  }

  return {
    send(text) {
      const bytes = Buffer.byteLength(JSON.stringify(text)) + 1;
      if (bytes > mostBytes) return;
      if (collectedBytes + bytes > mostBytes) flush();
      collected.push(text);
      collectedBytes += bytes;
      timer ??= setTimeout(flush, collectMs);
    },

    subscribe(listener) {
      listeners.add(listener);
      listening ??= keepConnected(connect, listen, closing.signal);
      return () => void listeners.delete(listener);
    },

    async close() {
      flush();
      closing.abort();
      await Promise.all([sending, listening]);
    },
  };
}
