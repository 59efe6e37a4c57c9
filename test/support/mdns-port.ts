import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/**
 * A UDP port on which this process alone does mDNS, so that no other test is heard. It stays bound for as long as the process is there:
 * the sockets of mDNS share it.
 */
export async function mdnsPortOfThisProcess(): Promise<number> {
  const holder = createSocket({ type: 'udp4', reuseAddr: true }).unref();
  holder.bind(0, '0.0.0.0');
  await once(holder, 'listening');
  return holder.address().port;
}
