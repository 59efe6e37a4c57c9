import type { VirtualEsp } from '../../src/simulator/index.ts';

/** Whether these bytes lie in the device's flash, from `address` on. */
export function holds(esp: VirtualEsp, bytes: Uint8Array, address = 0): boolean {
  return Buffer.compare(esp.readFlash(address, bytes.length), bytes) === 0;
}
