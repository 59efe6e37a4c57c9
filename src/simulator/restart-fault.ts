import type { IncomingUpdate } from './device-firmware.ts';
import type { BadUpdate, Faults } from './faults.ts';

/**
 * Returns the fault for a restart with an update in flash.
 *
 * @param draw constant of the device, from 0 to 1: with low values the device stays offline, with high values it restarts without the
 *   update
 */
export function restartFault(
  arriving: IncomingUpdate | undefined,
  { offline, notInstalled }: Faults,
  draw: number,
): 'none' | 'offline' | 'not-installed' {
  if (arriving?.kind !== 'sketch') return 'none';
  if (isMet(offline, arriving, draw)) return 'offline';
  return isMet(notInstalled, arriving, 1 - draw) ? 'not-installed' : 'none';
}

function isMet(bad: BadUpdate | undefined, { version }: IncomingUpdate, draw: number): boolean {
  if (bad === undefined || (bad.version !== undefined && bad.version !== version)) return false;
  return draw < bad.share;
}
