import type { IncomingMessage } from 'node:http';
import { peerAddress, type TrustedProxies } from './client-address.ts';

/**
 * Returns the hosts to which the client may have sent the request: `Host` and, from a trusted proxy that replaces `Host`, such as Apache by
 * default, the entries of `X-Forwarded-Host`. A page of another site cannot set either header.
 */
export function requestHosts(request: IncomingMessage, isTrustedProxy: TrustedProxies): readonly string[] {
  const { host, 'x-forwarded-host': forwarded = [] } = request.headers;
  const entries = isTrustedProxy(peerAddress(request)) ? [forwarded].flat().join().split(',') : [];
  return [host ?? '', ...entries].map((entry) => entry.trim()).filter((entry) => entry !== '');
}
