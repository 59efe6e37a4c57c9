import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface Exchange {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /**
   * PEM text with the only trusted certificate authority. Defaults to the authorities that Node.js trusts. No data is sent to an
   * untrusted server.
   */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** Called with the number of body bytes sent. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/** Number of body bytes between two progress reports. */
const chunkBytes = 16 * 1024;

/**
 * Sends one request and returns the response. Redirects are not followed. The `fetch` function of Node.js is not used, because its
 * certificate authorities cannot be changed after the process has started.
 *
 * @throws the Node.js error, whose `code` identifies the network or certificate fault
 */
export function exchange(
  url: string,
  { method, headers, body, ca, signal, onSent }: Exchange,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const options = { method, headers: { ...headers, ...length }, signal };
    const request = url.startsWith('https:') ? requestHttps(url, { ...options, ca }) : requestHttp(url, options);
    request.once('response', resolve);
    request.once('error', reject);
    if (onSent === undefined || typeof body !== 'object') return void request.end(body);
    for (let at = 0; at < body.length; at += chunkBytes) {
      const end = Math.min(at + chunkBytes, body.length);
      request.write(body.subarray(at, end), () => onSent(end));
    }
    request.end();
  });
}
