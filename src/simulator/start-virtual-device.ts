import { virtualIdentity } from './identity.ts';
import type { VirtualDeviceOptions } from './options.ts';
import { RunningDevice } from './running-device.ts';
import type { VirtualDevice } from './virtual-device.ts';

export type { VirtualDevice } from './virtual-device.ts';

let started = 0;

/**
 * Starts a virtual ESP8266: a flash chip that contains a sketch, and the sketch's network services. The services behave like the core's
 * code. The device is reachable after the promise has resolved.
 *
 * @throws OtaError CORE_UNKNOWN for an unknown core; Error if a port cannot be opened or mDNS is not available
 */
export async function startVirtualDevice(options: VirtualDeviceOptions = {}): Promise<VirtualDevice> {
  started++;
  return RunningDevice.start(options, virtualIdentity({ mac: options.mac, number: started }));
}
