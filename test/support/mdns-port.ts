import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/**
 * Reserves a UDP port for mDNS in this process, so that test processes do not receive each other's messages. The port stays bound until
 * the process ends, and all mDNS sockets of the process share it.
 */
export async function mdnsPortOfThisProcess(): Promise<number> {
  const holder = createSocket({ type: 'udp4', reuseAddr: true }).unref();
  holder.bind(0, '0.0.0.0');
  await once(holder, 'listening');
  return holder.address().port;
}
