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

/**
 * Closes connections that exceed the limits, so that one client cannot lock out the others.
 *
 * @returns all open sockets, including sockets in a TLS handshake, which the HTTP server does not track. With TLS, a connection has two
 *   sockets: the raw socket and the encrypted one.
 */
export function limitConnections(server: Server, limits: ConnectionLimits, counters: Counters): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const open = new Map<string, number>();
  server.maxConnections = limits.mostConnections;
  server.on('drop', () => {
    counters.rejectedConnections++;
  });
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const network = limits.isTrustedProxy(address) ? undefined : networkOf(address);
    const count = network === undefined ? 0 : (open.get(network) ?? 0) + 1;
    if (count > limits.mostPerAddress) {
      counters.rejectedConnections++;
      socket.destroy();
      return;
    }
    sockets.add(socket);
    if (network !== undefined) open.set(network, count);
    socket.on('close', () => {
      sockets.delete(socket);
      if (network === undefined) return;
      const left = (open.get(network) ?? 1) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
  });
  server.on('secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return sockets;
}
