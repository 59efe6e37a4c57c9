import { pause } from './pause.ts';
import { RetryBudget } from './retry-budget.ts';
import type { DeliveryTimings } from './timings.ts';
import type { DeliveryVerdict } from './verdict.ts';

/** Result of one attempt. fault: the network failed, and `verdict` is used if no later attempt does better. */
export interface DeliveryAttempt {
  readonly outcome: 'verdict' | 'fault';
  readonly verdict: DeliveryVerdict;
}

/**
 * Repeats an attempt until it ends in a verdict, or until the attempts or the waiting budget are used up. If the device does not respond at
 * all, no further attempt is made, and the verdict of the previous attempt, if any, is returned.
 */
export async function attemptRepeatedly(
  { attempts, retryBudgetMs, pauseMs }: DeliveryTimings,
  signal: AbortSignal,
  attempt: (budget: RetryBudget) => Promise<DeliveryAttempt>,
): Promise<DeliveryVerdict> {
  const budget = new RetryBudget(retryBudgetMs);
  let previous: DeliveryVerdict | undefined;
  for (let count = 1; ; count++) {
    const { outcome, verdict } = await attempt(budget);
    if (outcome === 'verdict') return verdict;
    if (verdict.kind === 'unreachable') return previous ?? verdict;
    // One missing callback may be a lost SYN; two in a row indicate a firewall.
    if (verdict.kind === 'blockedCallback' && previous?.kind === verdict.kind) return verdict;
    previous = verdict;
    if (count >= attempts || budget.isOver) return previous;
    await budget.spendDuring(() => pause(pauseMs, signal));
  }
}
