import type { Faults, TransferFault } from './faults.ts';
import { type Random, seededRandom } from './random.ts';

const kinds: readonly TransferFault['what'][] = ['reset', 'end', 'half-open', 'stall'];
const points: readonly TransferFault['at'][] = [0, 0.01, 0.5, 0.99, 1, 'after-last-ack'];

/** Returns random faults for a seed. UDP faults are permanent. All other faults affect only the first upload or the first two uploads. */
export function randomFaults(seed: number): Faults {
  const random = seededRandom(seed);
  return {
    uploads: 1 + Math.floor(random() * 2),
    udp: {
      loseFirst: Math.floor(random() * 3),
      loseShare: random() * 0.3,
      duplicateShare: random() * 0.2,
      reorderShare: random() * 0.2,
    },
    ...sometimes(random, 0.05, { callBack: 'never' as const }),
    ...sometimes(random, 0.6, { transfer: randomTransferFault(random) }),
    ...sometimes(random, 0.1, { verdict: 'none' as const }),
  };
}

function randomTransferFault(random: Random): TransferFault {
  return { what: oneOf(random, kinds, 'reset'), at: oneOf(random, points, 0), stallMs: Math.round(random() * 500) };
}

function sometimes<Part extends Faults>(random: Random, share: number, part: Part): Part | Record<never, never> {
  return random() < share ? part : {};
}

function oneOf<Value>(random: Random, values: readonly Value[], first: Value): Value {
  return values[Math.floor(random() * values.length)] ?? first;
}
