import { identityOf } from './identity.ts';
import type { VirtualEspOptions } from './options.ts';
import { RunningEsp } from './running-esp.ts';
import type { VirtualEsp } from './virtual-esp-api.ts';

export type { VirtualEsp, VirtualEspState } from './virtual-esp-api.ts';

let started = 0;

/**
 * Starts a virtual ESP8266: a chip, a sketch in it, and the network services of that sketch, each as the device code of the core behaves.
 * It is on the network when this returns.
 *
 * @throws OtaError USAGE when nothing is known of the core; Error when a port cannot be had, or there is no mDNS
 */
export async function startVirtualEsp(options: VirtualEspOptions = {}): Promise<VirtualEsp> {
  started++;
  return RunningEsp.start(options, identityOf({ mac: options.mac, number: started }));
}
