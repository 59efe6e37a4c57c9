import { virtualIdentity } from './identity.ts';
import type { VirtualEspOptions } from './options.ts';
import { RunningEsp } from './running-esp.ts';
import type { VirtualEsp } from './virtual-esp-api.ts';

export type { VirtualEsp, VirtualEspState } from './virtual-esp-api.ts';

let started = 0;

/**
 * Starts a virtual ESP8266: a flash chip, a sketch in it and the network services of that sketch, which behave like the core's code.
 * The device is reachable when the promise resolves.
 *
 * @throws OtaError USAGE for an unknown core; Error if a port cannot be opened or mDNS is not available
 */
export async function startVirtualEsp(options: VirtualEspOptions = {}): Promise<VirtualEsp> {
  started++;
  return RunningEsp.start(options, virtualIdentity({ mac: options.mac, number: started }));
}
