import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { abortAfter } from '../../../api/abort-after.ts';
import { Mdns, ownAddresses } from '../../../delivery/mdns.ts';
import type { Check, DoctorFinding } from '../check.ts';
import type { CheckContext } from '../context.ts';

const group = '224.0.0.251';
const echoMs = 1000;
const fix = 'Allow UDP port 5353 in the firewall, or add the devices with fixed addresses to ota.config.json';

/** Checks whether mDNS works. Without mDNS, users must configure device addresses. */
export const mdns: Check = async ({ signal }) => {
  const addresses = ownAddresses();
  if (addresses.length === 0) {
    return [
      { level: 'warning', message: 'This machine has no network address: devices cannot be reached', fix: undefined },
    ];
  }
  const opened = await Mdns.open();
  if (!(opened instanceof Mdns)) {
    return [{ level: 'warning', message: `mDNS is not available: ${opened.unavailable}`, fix }];
  }
  opened.close();
  return Promise.all(addresses.map((address) => echo(address, signal)));
};

/** Sends a datagram to the multicast group and waits for its loopback copy. Without multicast, no copy arrives. */
async function echo(address: string, signal: CheckContext['signal']): Promise<DoctorFinding> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    const timeout = AbortSignal.any([signal, abortAfter(echoMs)]);
    socket.bind(0, '0.0.0.0');
    await once(socket, 'listening', { signal: timeout });
    socket.addMembership(group, address);
    socket.setMulticastInterface(address);
    socket.setMulticastLoopback(true);
    const received = once(socket, 'message', { signal: timeout });
    socket.send('ota-hooks doctor', socket.address().port, group);
    await received;
    return { level: 'ok', message: `Multicast works on ${address}` };
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof Error && error.name !== 'AbortError' ? ` (${error.message})` : '';
    return {
      level: 'warning',
      message: `Multicast does not work on ${address}${why}: mDNS does not find devices`,
      fix,
    };
  } finally {
    socket.close();
  }
}
