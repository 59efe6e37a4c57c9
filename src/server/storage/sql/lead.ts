import { setTimeout as delay } from 'node:timers/promises';
import type { Lead } from '../store.ts';

/** Interval at which a process tries to lead. */
const retryMs = 2000;

/** The lead, as long as this process has it. */
export interface Held {
  /** Aborts when the process loses the lead. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Calls `work` whenever this process leads.
 *
 * @param acquire returns the lead; undefined if another process leads or the database cannot be reached
 */
export function startLead(
  acquire: () => Promise<Held | undefined>,
  work: (signal: AbortSignal) => Promise<void>,
): Lead {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const held = await acquire();
      if (held !== undefined) {
        // Work that fails ends this turn. It reports its errors itself.
        await work(AbortSignal.any([signal, held.lost])).catch(() => undefined);
        await held.release();
      }
      await delay(retryMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    stop() {
      stopping.abort();
      return running;
    },
  };
}
