import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

/** Address of a reverse proxy with a certificate for `localhost`. */
export interface SecureProxy {
  readonly httpsPort: number;
  /** PEM. */
  readonly certificate: string;
}

interface Sent {
  readonly path: string;
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array | undefined;
}

/** Sends a request over TLS, verifies the certificate of the proxy, and returns the response as it arrives. */
export async function openOverTls(
  { httpsPort, certificate }: SecureProxy,
  { path, method = 'GET', headers, body }: Sent,
): Promise<IncomingMessage> {
  const address = { host: '127.0.0.1', port: httpsPort, servername: 'localhost', ca: certificate };
  const sent = request({ ...address, path, method, headers: { host: 'localhost', ...headers }, agent: false });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

/** Sends a request over TLS and reads the whole response. */
export async function overTls(proxy: SecureProxy, sent: Sent) {
  const response = await openOverTls(proxy, sent);
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}
