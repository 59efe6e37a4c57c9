import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface Exchange {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** PEM with the only trusted certificate authority; defaults to the authorities that Node trusts. Untrusted servers are sent nothing. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** Called with the number of body bytes sent so far. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/** Body bytes between two progress reports. */
const chunkBytes = 16 * 1024;

/**
 * Sends one request and returns the response; redirects are not followed. Node's `fetch` is not used because it supports only the
 * certificate authorities set when the process started.
 *
 * @throws Node's error, whose `code` identifies the network or certificate fault
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
