import { sectorBytes } from '../core/device-model/flash.ts';
import { pauseExactly } from './pause.ts';
import type { Esp } from './services.ts';

/** Waits for the time that the chip needs to write the sectors completed by these bytes. */
export async function writeTime({ link, life }: Esp, countBefore: number, addedBytes: number): Promise<void> {
  const sectors = Math.floor((countBefore + addedBytes) / sectorBytes) - Math.floor(countBefore / sectorBytes);
  await pauseExactly(sectors * link.flashMsPerSector, life);
}
