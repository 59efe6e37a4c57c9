import { setTimeout as delay } from 'node:timers/promises';
import type Pg from 'pg';

/** Interval at which a lost connection is opened again. */
const reconnectMs = 1000;

/** Connection that is kept open for messages or a lock. */
export interface Connected {
  readonly client: Pg.Client;
  /** Aborts when the connection is lost. */
  readonly lost: AbortSignal;
  end(): Promise<void>;
}

/** Opens a connection; undefined if the database cannot be reached. */
export async function connectOnce(pg: typeof Pg, settings: Pg.ClientConfig): Promise<Connected | undefined> {
  const client = new pg.Client(settings);
  const losing = new AbortController();
  client.on('error', () => losing.abort());
  client.on('end', () => losing.abort());
  const end = () => client.end().catch(() => undefined);
  try {
    await client.connect();
    return { client, lost: losing.signal, end };
  } catch {
    await end();
    return undefined;
  }
}

/** Opens a connection again whenever it is lost, until `signal` aborts. `use` prepares each connection. */
export async function keepConnected(
  open: () => Promise<Connected | undefined>,
  use: (connected: Connected) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const connected = await open();
    if (connected !== undefined) {
      const ended = AbortSignal.any([signal, connected.lost]);
      await use(connected)
        .then(() => untilAborted(ended))
        .catch(() => undefined);
      await connected.end();
    }
    await delay(reconnectMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
