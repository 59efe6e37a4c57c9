import type { VirtualEsp } from '../../src/simulator/index.ts';

/** True when the device's flash holds these bytes at `address`. */
export function holds(esp: VirtualEsp, bytes: Uint8Array, address = 0): boolean {
  return Buffer.compare(esp.readFlash(address, bytes.length), bytes) === 0;
}
