import { createSocket, type Socket } from 'node:dgram';

const group = '224.0.0.251';
/** RFC 6762, 3. */
export const mdnsPort = 5353;

/**
 * A socket that takes part in mDNS on the network of one address of this machine. Bound here rather than by multicast-dns, which would end
 * the process when the port cannot be had.
 *
 * @throws Error of node when that cannot be
 */
export async function openMdnsSocket(address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, '0.0.0.0', () => {
        socket.off('error', reject);
        resolve();
      });
    });
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
