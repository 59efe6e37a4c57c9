import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { abortAfter } from '../../../api/abort-after.ts';
import { Mdns, ownAddresses } from '../../../delivery/mdns.ts';
import type { Check, DoctorFinding } from '../check.ts';
import type { World } from '../world.ts';

const group = '224.0.0.251';
const echoMs = 1000;
const mend = 'Give devices fixed addresses and name them in ota.config.json, or let UDP port 5353 in';

/** Checks whether mDNS works. Without it, the addresses of devices must be known. */
export const mdns: Check = {
  about: 'devices can be found by mDNS',
  run: async ({ signal }) => {
    const addresses = ownAddresses();
    if (addresses.length === 0) {
      return [{ level: 'warning', says: 'this machine is in no network: no device can be reached', mend: undefined }];
    }
    const opened = await Mdns.open();
    if (!(opened instanceof Mdns)) {
      return [{ level: 'warning', says: `mDNS cannot be used: ${opened.unavailable}`, mend }];
    }
    opened.close();
    return Promise.all(addresses.map((address) => echo(address, signal)));
  },
};

/** Sends a datagram to the multicast group and waits for the copy that returns to the sender. Without multicast, none arrives. */
async function echo(address: string, signal: World['signal']): Promise<DoctorFinding> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    const patience = AbortSignal.any([signal, abortAfter(echoMs)]);
    socket.bind(0, '0.0.0.0');
    await once(socket, 'listening', { signal: patience });
    socket.addMembership(group, address);
    socket.setMulticastInterface(address);
    socket.setMulticastLoopback(true);
    const heard = once(socket, 'message', { signal: patience });
    socket.send('ota-hooks doctor', socket.address().port, group);
    await heard;
    return { level: 'ok', says: `multicast works on ${address}` };
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof Error && error.name !== 'AbortError' ? ` (${error.message})` : '';
    return {
      level: 'warning',
      says: `multicast does not come through on ${address}${why}: devices will not be found`,
      mend,
    };
  } finally {
    socket.close();
  }
}
