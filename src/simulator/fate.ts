import type { IncomingUpdate } from './board.ts';
import type { BadUpdate, Faults } from './faults.ts';

/**
 * Returns which fault affects a device that restarts with an update in its flash.
 *
 * @param luck constant of this device, from 0 to 1: low values vanish, high values fall back
 */
export function fateOf(
  arriving: IncomingUpdate | undefined,
  { vanish, fallBack }: Faults,
  luck: number,
): 'fine' | 'vanish' | 'fall-back' {
  if (arriving?.kind !== 'sketch') return 'fine';
  if (isMet(vanish, arriving, luck)) return 'vanish';
  return isMet(fallBack, arriving, 1 - luck) ? 'fall-back' : 'fine';
}

function isMet(bad: BadUpdate | undefined, { version }: IncomingUpdate, luck: number): boolean {
  if (bad === undefined || (bad.version !== undefined && bad.version !== version)) return false;
  return luck < bad.share;
}
