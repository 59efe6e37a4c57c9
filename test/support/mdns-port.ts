import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/**
 * Reserves a UDP port for mDNS in this process, so that test processes do not receive each other's messages. It stays bound until the
 * process ends; the mDNS sockets share it.
 */
export async function mdnsPortOfThisProcess(): Promise<number> {
  const holder = createSocket({ type: 'udp4', reuseAddr: true }).unref();
  holder.bind(0, '0.0.0.0');
  await once(holder, 'listening');
  return holder.address().port;
}
