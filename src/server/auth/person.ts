import type { IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { personName } from '../../api/release-admin.ts';
import { peerAddress, type TrustedProxies } from './client-address.ts';

/**
 * Returns the name of the person that a trusted proxy has authenticated. The header counts only if the proxy itself sent the request: any other
 * client could name anyone.
 *
 * @param settings `authHeader` is the name of the header in lower case; undefined if no proxy logs people in
 */
export function personIn(
  request: IncomingMessage,
  settings: { readonly authHeader: string | undefined; readonly isTrustedProxy: TrustedProxies },
): string | undefined {
  const { authHeader, isTrustedProxy } = settings;
  if (authHeader === undefined || !isTrustedProxy(peerAddress(request))) return undefined;
  // Node.js joins repeated headers with commas, so a header that a proxy adds to the one of a client names no person.
  const value = request.headers[authHeader];
  if (typeof value !== 'string') return undefined;
  // Header values arrive as Latin-1; proxies send names in UTF-8.
  const name = Buffer.from(value, 'latin1').toString('utf8').trim();
  return v.is(personName, name) ? name : undefined;
}
