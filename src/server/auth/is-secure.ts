import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { peerAddress, type TrustedProxies } from './client-address.ts';

/** Returns whether a request was sent over TLS, either to this server or to a trusted proxy. */
export function isSecure(request: IncomingMessage, isTrustedProxy: TrustedProxies): boolean {
  if (request.socket instanceof TLSSocket) return true;
  return isTrustedProxy(peerAddress(request)) && request.headers['x-forwarded-proto'] === 'https';
}
