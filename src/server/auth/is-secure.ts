import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { peerAddress } from './client-address.ts';

/** Whether a request came over TLS: to us, or to a proxy that is trusted. */
export function isSecure(request: IncomingMessage, trustedProxies: ReadonlySet<string>): boolean {
  if (request.socket instanceof TLSSocket) return true;
  return trustedProxies.has(peerAddress(request)) && request.headers['x-forwarded-proto'] === 'https';
}
