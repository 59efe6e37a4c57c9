import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const group = '224.0.0.251';
/** UDP port of mDNS (RFC 6762, section 3). */
export const mdnsPort = 5353;

/**
 * Opens a socket that joins the mDNS group on the network of a local address. The socket is bound here, because multicast-dns would end
 * the process if the port were unavailable.
 *
 * @throws the Node.js error if the socket cannot be bound or cannot join the group
 */
export async function openMdnsSocket(address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    socket.bind(port, '0.0.0.0');
    await once(socket, 'listening');
    socket.addMembership(group, address);
    socket.setMulticastInterface(address);
    socket.setMulticastTTL(255);
    socket.setMulticastLoopback(true);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
