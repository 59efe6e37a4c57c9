import { sectorBytes } from '../core/device-model/flash.ts';
import { pause } from './pause.ts';
import type { Esp } from './services.ts';

/** Waits as long as the chip takes for the sectors that are full now, and were not before these bytes came. */
export async function writeTime({ link, life }: Esp, countBefore: number, addedBytes: number): Promise<void> {
  const sectors = Math.floor((countBefore + addedBytes) / sectorBytes) - Math.floor(countBefore / sectorBytes);
  await pause(sectors * link.flashMsPerSector, life);
}
