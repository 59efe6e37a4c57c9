import { sectorBytes } from '../core/device-model/flash.ts';
import type { DeviceContext } from './device-context.ts';
import { pauseExactly } from './pause.ts';

/** Waits for the time that the chip needs to write the sectors completed by these bytes. */
export async function writeTime(
  { link, restartSignal }: DeviceContext,
  countBefore: number,
  addedBytes: number,
): Promise<void> {
  const sectors = Math.floor((countBefore + addedBytes) / sectorBytes) - Math.floor(countBefore / sectorBytes);
  await pauseExactly(sectors * link.flashMsPerSector, restartSignal);
}
