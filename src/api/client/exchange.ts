import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface Exchange {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** PEM of the only authority whose servers are trusted; absent: those of node. A server that is not trusted gets nothing. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** Told how many bytes of the body have left. */
  readonly onSent?: ((bytes: number) => void) | undefined;
}

/** As much as a progress bar notices. */
const chunkBytes = 16 * 1024;

/**
 * One request and its answer; redirects are not followed. node's `fetch` knows no other authorities than those that the process began
 * with.
 *
 * @throws the error of node, whose `code` says what was wrong with the network or the certificate
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
