import { pause } from './pause.ts';
import { RetryBudget } from './retry-budget.ts';
import type { DeliveryTimings } from './timings.ts';
import type { DeliveryVerdict } from './verdict.ts';

/** Result of one attempt. `fault`: the network failed. Its `verdict` is used if no later attempt has a better result. */
export interface DeliveryAttempt {
  readonly outcome: 'verdict' | 'fault';
  readonly verdict: DeliveryVerdict;
}

/**
 * Repeats an attempt until it ends in a verdict, or until the attempts or the waiting budget are used up. If the device does not respond,
 * no further attempt is made. The verdict of the previous attempt, if any, is then returned.
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
    // A single missing callback may be caused by a lost SYN. Two missing callbacks in a row indicate a firewall.
    if (verdict.kind === 'blockedCallback' && previous?.kind === verdict.kind) return verdict;
    previous = verdict;
    if (count >= attempts || budget.isOver) return previous;
    await budget.spendDuring(() => pause(pauseMs, signal));
  }
}
