import { connect, type Socket } from 'node:net';
import { type TransferLimits, TransferPace } from '../../core/model/transfer-pace.ts';
import { EventQueue } from '../event-queue.ts';
import { ResponseReader, type WebResponse } from './response.ts';

export interface ExchangeRequest {
  readonly address: string;
  readonly port: number;
  readonly hostIp: string | undefined;
  /** Byte sequences of the request, sent in this order. */
  readonly parts: readonly Uint8Array[];
  readonly connectMs: number;
  /** Time limit for waiting while no bytes are sent or received. */
  readonly stallMs: number;
  /** Limits for the whole exchange. */
  readonly limits: TransferLimits;
  readonly onSent?: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Result of an exchange. `isSent`: all parts have left this process, so the server may have received the whole request. */
export interface WebExchange {
  readonly outcome: 'completed' | 'ended' | 'silent' | 'unconnected' | 'exceeded';
  readonly response: WebResponse | undefined;
  /** Received bytes without parsing, for servers that do not respond with HTTP. */
  readonly text: string;
  readonly isSent: boolean;
  /** Milliseconds since the last byte was sent or received. */
  readonly silentMs: number;
  /** Error code such as `ECONNRESET`, or how a limit was exceeded. */
  readonly error: string | undefined;
}

type ExchangeEvent =
  | { readonly kind: 'connected' | 'written' }
  | { readonly kind: 'received'; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly error: string | undefined };

/** Size of a write. The size is small enough to keep little data in the kernel's buffers and large enough to keep a device busy. */
const chunkBytes = 4096;

/**
 * Sends a request over its own connection and reads the response. The connection is not half-closed after the request, because the device
 * would treat it as closed. The HTTP client of Node.js is not used, because the device accepts only one exact form of headers and body.
 */
export async function exchangeWithDevice(request: ExchangeRequest): Promise<WebExchange> {
  const { address: host, port, hostIp } = request;
  const local = hostIp === undefined ? {} : { localAddress: hostIp };
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true, ...local });
  try {
    return await new Session(request, socket).run();
  } finally {
    socket.destroy();
  }
}

class Session {
  readonly #request: ExchangeRequest;
  readonly #socket: Socket;
  readonly #events = new EventQueue<ExchangeEvent>();
  readonly #reader = new ResponseReader();
  readonly #chunks: Iterator<Uint8Array, undefined>;
  readonly #pace: TransferPace;
  #movedAt = performance.now();
  #isConnected = false;
  #isSent = false;
  #sentBytes = 0;

  constructor(request: ExchangeRequest, socket: Socket) {
    this.#request = request;
    this.#socket = socket;
    this.#chunks = chunksOf(request.parts);
    const sizeBytes = request.parts.reduce((sum, part) => sum + part.length, 0);
    this.#pace = new TransferPace(request.limits, this.#movedAt, sizeBytes);
    socket.on('connect', () => this.#events.put({ kind: 'connected' }));
    socket.on('data', (bytes) => this.#events.put({ kind: 'received', bytes }));
    socket.on('end', () => this.#events.put({ kind: 'ended', error: undefined }));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#events.put({ kind: 'ended', error: error.code ?? error.message });
    });
  }

  async run(): Promise<WebExchange> {
    const { connectMs, stallMs, signal } = this.#request;
    for (;;) {
      const now = performance.now();
      const tooSlow = this.#pace.fault(now);
      if (tooSlow !== undefined) return this.#conclude('exceeded', `the device is too slow (${tooSlow})`);
      const silenceLeftMs = (this.#isConnected ? stallMs : connectMs) - (now - this.#movedAt);
      const limitMs = Math.max(0, Math.min(silenceLeftMs, this.#pace.leftMs(now)));
      const event = await this.#events.next(limitMs, signal);
      if (event === undefined && performance.now() - now < silenceLeftMs) continue;
      if (event === undefined) return this.#conclude(this.#isConnected ? 'silent' : 'unconnected', undefined);
      if (event.kind === 'ended') return this.#conclude(this.#isConnected ? 'ended' : 'unconnected', event.error);
      this.#movedAt = performance.now();
      if (event.kind !== 'received') this.#sendChunk();
      else this.#receive(event.bytes);
      if (this.#reader.isWhole) return this.#conclude('completed', undefined);
      if (this.#reader.isFull) return this.#conclude('exceeded', 'the device does not stop sending');
    }
  }

  #receive(bytes: Uint8Array): void {
    this.#reader.feed(bytes);
    this.#pace.moved(bytes.length, this.#movedAt);
  }

  #sendChunk(): void {
    this.#isConnected = true;
    this.#pace.expectBytes(performance.now());
    this.#request.onSent?.(this.#sentBytes);
    const { value: chunk } = this.#chunks.next();
    if (chunk === undefined) {
      this.#isSent = true;
      return;
    }
    // Received data is read first, because writing to a broken connection would discard the response.
    setImmediate(() => {
      if (this.#socket.destroyed) return;
      this.#socket.write(chunk, (error) => {
        if (error !== undefined && error !== null) return;
        this.#sentBytes += chunk.length;
        this.#pace.moved(chunk.length, performance.now());
        this.#events.put({ kind: 'written' });
      });
    });
  }

  #conclude(outcome: WebExchange['outcome'], error: string | undefined): WebExchange {
    return {
      outcome,
      response: this.#reader.response,
      text: this.#reader.text,
      isSent: this.#isSent,
      silentMs: performance.now() - this.#movedAt,
      error,
    };
  }
}

function* chunksOf(parts: readonly Uint8Array[]): Generator<Uint8Array, undefined> {
  for (const part of parts) {
    for (let start = 0; start < part.length; start += chunkBytes) yield part.subarray(start, start + chunkBytes);
  }
}
