import { Patience } from './patience.ts';
import { pause } from './pause.ts';
import type { DeliveryTimings } from './timings.ts';
import type { Verdict } from './verdict.ts';

/** How one attempt ended. fault: by the network alone; `verdict` is what it comes to if no better attempt follows. */
export interface Attempt {
  readonly outcome: 'verdict' | 'fault';
  readonly verdict: Verdict;
}

/**
 * Makes attempts until one ends in a verdict, or there are no more of them, or no more patience. An attempt in which the device stays silent
 * throughout says least: it is the last one, and what an attempt before it met is told instead.
 */
export async function attemptRepeatedly(
  { attempts, patienceMs, pauseMs }: DeliveryTimings,
  signal: AbortSignal,
  attempt: (patience: Patience) => Promise<Attempt>,
): Promise<Verdict> {
  const patience = new Patience(patienceMs);
  let told: Verdict | undefined;
  for (let count = 1; ; count++) {
    const { outcome, verdict } = await attempt(patience);
    if (outcome === 'verdict') return verdict;
    if (verdict.kind === 'unreachable') return told ?? verdict;
    // Once a SYN may get lost for too long; twice it is a firewall.
    if (verdict.kind === 'blockedCallback' && told?.kind === verdict.kind) return verdict;
    told = verdict;
    if (count >= attempts || patience.isOver) return told;
    await patience.spendDuring(() => pause(pauseMs, signal));
  }
}
