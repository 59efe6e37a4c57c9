import { setInterval as every } from 'node:timers/promises';
import type { Held } from '../lead.ts';
import type { Connected } from './connected.ts';

/** Interval at which the leading process checks its connection. */
const checkMs = 2000;

/**
 * Settings with which the server notices within about 10 seconds that the leading process is cut off, and releases its lock. The lock of a
 * process that is killed is released at once.
 */
const keepalive = 'SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3';

/** Takes the lead: an advisory lock, which belongs to the connection. Returns undefined if another process has it. */
export async function acquireLead(connect: () => Promise<Connected | undefined>): Promise<Held | undefined> {
  const connected = await connect();
  if (connected === undefined) return undefined;
  if (!(await tryLock(connected))) {
    await connected.end();
    return undefined;
  }
  const losing = new AbortController();
  const ending = new AbortController();
  const watching = watch(connected, ending.signal).then(() => losing.abort());
  return {
    lost: AbortSignal.any([losing.signal, connected.lost]),
    async release() {
      ending.abort();
      await watching;
      await connected.end();
    },
  };
}

async function tryLock({ client }: Connected): Promise<boolean> {
  try {
    await client.query(keepalive);
    const query = "SELECT pg_try_advisory_lock(hashtextextended('ota-hooks lead ' || current_schema(), 0)) AS held";
    const { rows } = await client.query<{ held: boolean }>(query);
    return rows[0]?.held === true;
  } catch {
    return false;
  }
}

/** Resolves when the connection does not respond, or when `signal` aborts. */
async function watch({ client }: Connected, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of every(checkMs, undefined, { signal, ref: false })) await client.query('SELECT 1');
  } catch {
    // The connection is lost, or the lead ends.
  }
}
