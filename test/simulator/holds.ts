import type { VirtualDevice } from '../../src/simulator/index.ts';

/** Returns whether the device's flash contains these bytes at `address`. */
export function holds(device: VirtualDevice, bytes: Uint8Array, address = 0): boolean {
  return Buffer.compare(device.readFlash(address, bytes.length), bytes) === 0;
}
