import type { Server, Socket } from 'node:net';
import type { TrustedProxies } from '../auth/client-address.ts';
import { networkOf } from '../auth/network.ts';
import type { Counters } from '../observability/counters.ts';

export interface ConnectionLimits {
  readonly mostConnections: number;
  /** Maximum number of connections per IPv4 address or IPv6 /64. */
  readonly mostPerAddress: number;
  /** Trusted proxies are exempt from the per-address limit, because all clients behind a proxy share its address. */
  readonly isTrustedProxy: TrustedProxies;
}

/** Closes connections that exceed the limits, so that one client cannot lock out the others. */
export function limitConnections(server: Server, limits: ConnectionLimits, counters: Counters): void {
  const open = new Map<string, number>();
  server.maxConnections = limits.mostConnections;
  server.on('drop', () => {
    counters.rejectedConnections++;
  });
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (limits.isTrustedProxy(address)) return;
    const network = networkOf(address);
    const count = (open.get(network) ?? 0) + 1;
    if (count > limits.mostPerAddress) {
      counters.rejectedConnections++;
      socket.destroy();
      return;
    }
    open.set(network, count);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
  });
}
