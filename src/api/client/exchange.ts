import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { sizeText } from '../../core/model/quantity-text.ts';
import { type TransferLimits, TransferPace } from '../../core/model/transfer-pace.ts';
import { OtaError } from '../../errors/ota-error.ts';
import type { HttpProxy } from './proxy.ts';

export interface Exchange {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  /** Certificate authority (PEM) that is trusted exclusively. Defaults to the authorities that Node.js trusts. */
  readonly ca?: string | undefined;
  /** Proxy that forwards the request. */
  readonly proxy?: HttpProxy | undefined;
  readonly signal: AbortSignal;
  readonly limits: TransferLimits;
  /** Maximum size of the response body. */
  readonly mostBytes: number;
}

/** Response whose body is received within the limits of the exchange. The body must be read, or the response destroyed. */
export interface ExchangeResponse {
  readonly response: IncomingMessage;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The exchange exceeded a time limit, or the response is too large. */
export class ExchangeLimitError extends Error {
  override readonly name = 'ExchangeLimitError';
}

/** Number of body bytes between two progress reports. */
const chunkBytes = 16 * 1024;
const mostInterimResponses = 20;
const switchingProtocols = 101;
const proxyLoginRequired = 407;

/**
 * Sends one request and returns the response. Redirects are not followed. `fetch` is not used, because it supports only the certificate
 * authorities that were set when the process started.
 *
 * @throws ExchangeLimitError, OtaError SERVER_NOT_OURS if the server switches protocols, OtaError PROXY_UNUSABLE, the signal's abort reason,
 *   or Node's error, whose `code` identifies the network or certificate fault
 */
export async function exchange(url: string, options: Exchange): Promise<ExchangeResponse> {
  const { body, limits, mostBytes, signal } = options;
  const watch = new ExchangeWatch(limits, body === undefined ? 0 : Buffer.byteLength(body), signal);
  try {
    const response = await send(url, options, watch);
    response.once('close', () => watch.end());
    watch.moved(0, true);
    return { response, body: receive(response, mostBytes, watch) };
  } catch (error) {
    watch.end();
    throw error;
  }
}

function send(url: string, { method, headers, body, ca, proxy }: Exchange, watch: ExchangeWatch) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const options = { method, headers: { ...headers, ...length }, agent: proxy?.agent };
    const request = url.startsWith('https:')
      ? requestHttps(url, { ...options, ca, rejectUnauthorized: true })
      : requestHttp(url, options);
    const fail = (error: Error) => {
      // Rejected here, because a request that is already destroyed emits no error.
      reject(error);
      request.destroy(error);
    };
    const notOurs = () => new OtaError('SERVER_NOT_OURS', { url, status: switchingProtocols });
    watch.onFault(fail);
    const rejected = (status: number) =>
      new OtaError('PROXY_UNUSABLE', { proxy: proxy?.url ?? url, reason: `it responded with status ${status}` });
    // Emitted with the response of an HTTP proxy to CONNECT. If the proxy rejects it, the agent would present this response as the server's.
    request.once('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
      if (statusCode !== 200) fail(rejected(statusCode));
    });
    request.once('response', (response) => {
      if (response.statusCode === proxyLoginRequired) return fail(rejected(proxyLoginRequired));
      // Without an Upgrade header, Node.js treats status 101 as a final response.
      if (response.statusCode === switchingProtocols) return fail(notOurs());
      watch.onFault((error) => response.destroy(error));
      resolve(response);
    });
    let interim = 0;
    // Emitted for every 1xx response. Node.js accepts any number of these responses.
    request.on('information', () => {
      interim++;
      if (interim > mostInterimResponses)
        fail(new ExchangeLimitError('the server sends an endless series of interim responses'));
    });
    // Emitted for status 101 with an Upgrade header. Without a listener, Node.js would end the request without a response or an error.
    request.on('upgrade', (_response, socket) => {
      socket.destroy();
      fail(notOurs());
    });
    // A request can fail more than once, for example when the response is destroyed.
    request.on('error', reject);
    const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? new Uint8Array());
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const end = Math.min(at + chunkBytes, bytes.length);
      request.write(bytes.subarray(at, end), (error) => {
        if (error) return;
        watch.moved(end - at, end < bytes.length);
      });
    }
    request.end();
  });
}

async function* receive(
  response: IncomingMessage,
  mostBytes: number,
  watch: ExchangeWatch,
): AsyncGenerator<Uint8Array> {
  let count = 0;
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      count += chunk.length;
      if (count > mostBytes) throw new ExchangeLimitError(`the response is larger than ${sizeText(mostBytes)}`);
      watch.moved(chunk.length, true);
      yield chunk;
    }
  } finally {
    response.destroy();
  }
}

/**
 * Ends an exchange that is aborted or too slow. The timer keeps this object alive. `AbortSignal.any` references a timeout signal only
 * weakly: after garbage collection, the signal never aborts, and a request to a silent server never ends (nodejs/node#57736).
 */
class ExchangeWatch {
  readonly #pace: TransferPace;
  readonly #signal: AbortSignal;
  readonly #abort = () => this.#fail(this.#signal.reason);
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;
  #destroy: ((error: Error) => void) | undefined;

  constructor(limits: TransferLimits, sizeBytes: number, signal: AbortSignal) {
    signal.throwIfAborted();
    this.#pace = new TransferPace(limits, performance.now(), sizeBytes);
    // Derived, so that many requests do not add listeners to the command's signal.
    this.#signal = AbortSignal.any([signal]);
    this.#signal.addEventListener('abort', this.#abort);
    this.moved(0, sizeBytes > 0);
  }

  /** Sets the function that ends the exchange in its current phase. */
  onFault(destroy: (error: Error) => void): void {
    this.#destroy = destroy;
  }

  /** @param isMoreDue whether more bytes are due now */
  moved(bytes: number, isMoreDue: boolean): void {
    if (isMoreDue) this.#pace.expectBytes(performance.now());
    else this.#pace.expectSilence();
    this.#pace.moved(bytes, performance.now());
    this.#check();
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#abort);
    this.#destroy = undefined;
  }

  #check(): void {
    clearTimeout(this.#timer);
    if (this.#hasEnded) return;
    const now = performance.now();
    const fault = this.#pace.fault(now);
    if (fault !== undefined) this.#fail(new ExchangeLimitError(fault));
    else this.#timer = setTimeout(() => this.#check(), Math.ceil(this.#pace.leftMs(now)));
  }

  #fail(reason: unknown): void {
    const destroy = this.#destroy;
    this.end();
    destroy?.(reason instanceof Error ? reason : new Error(String(reason)));
  }
}
