import { once } from 'node:events';
import { type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { resolveAddress } from './public-address.ts';

/** Maximum number of bytes of a response that are read. Only its status matters. */
const mostResponseBytes = 64 * 1024;

/** Request to the receiver of a webhook. */
interface Post {
  readonly url: string;
  readonly allowPrivate: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends a POST request over a connection of its own, to the address that was checked. Redirects are not followed.
 *
 * @returns the HTTP status
 * @throws PrivateAddressError, and errors of the connection
 */
export async function post({ url, allowPrivate, headers, body }: Post, signal: AbortSignal): Promise<number> {
  const target = new URL(url);
  const { address, family } = await resolveAddress(target, { allowPrivate });
  signal.throwIfAborted();
  const send = target.protocol === 'https:' ? overHttps : overHttp;
  const sent = send(target, {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    agent: false,
    signal,
    lookup: (_, { all }, callback) => (all ? callback(null, [{ address, family }]) : callback(null, address, family)),
  });
  sent.end(body);
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let receivedBytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      receivedBytes += chunk.length;
      if (receivedBytes > mostResponseBytes) break;
    }
    return response.statusCode ?? 0;
  } finally {
    sent.destroy();
  }
}
