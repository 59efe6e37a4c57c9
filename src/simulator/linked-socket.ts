import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Clock, systemClock } from './clock.ts';
import type { LinkModel } from './link.ts';

interface Piece {
  readonly bytes: Uint8Array;
  readonly arrivesAt: number;
}

/** Part of the receive window that the sender can use from the time `usableAt`. */
interface Credit {
  bytes: number;
  readonly usableAt: number;
}

/** Result of a read: bytes, end of the connection, or timeout. */
export type ReadResult = Uint8Array | 'end' | 'timeout';

/** Limit below which delays count as timer jitter, so that late timers do not slow the link down permanently. */
const jitterMs = 8;
const lingerMs = 2000;

/**
 * Device side of a TCP connection, on a simulated link with round-trip time R and receive window W. The peer is a real program on a real
 * socket.
 *
 * Loopback delivers bytes immediately, so this class delays them. Bytes arrive R/2 after they are read from the socket. At most W bytes
 * are in flight or unread, and the socket is not read while the window is full. Window space that a read frees becomes usable after R. A
 * streaming sender therefore sends W bytes per round trip, and a sender that waits for each response sends one write per round trip, as
 * over a real link. Slow start is not simulated, because W is below the initial window of ten segments.
 *
 * The kernel's loopback buffers hold more data than a real link. As with a large send buffer, only acknowledgments from the device show
 * that the device received the bytes.
 *
 * Due times are computed from earlier due times, not from the actual time of a timer, so that delays do not accumulate.
 */
export class LinkedSocket {
  readonly #socket: Socket;
  readonly #link: LinkModel;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #credits: Credit[];
  readonly #pieces: Piece[] = [];
  #endsAt: number | undefined;
  #wake: () => void = () => undefined;
  #readAt = 0;
  readonly #outgoing: { readonly action: () => void; readonly dueAt: number }[] = [];
  #isFinishing = false;
  readonly #teardown = () => this.#socket.destroy();

  /** @param signal closes the connection when it aborts */
  constructor(socket: Socket, link: LinkModel, signal: AbortSignal, clock: Clock = systemClock) {
    this.#socket = socket;
    this.#link = link;
    this.#signal = signal;
    this.#clock = clock;
    this.#credits = [{ bytes: link.windowBytes, usableAt: 0 }];
    signal.addEventListener('abort', this.#teardown, { once: true });
    socket.setNoDelay(true);
    socket.on('readable', () => this.#pull());
    socket.on('end', () => this.#noteEnd());
    socket.on('error', () => this.#noteEnd());
    socket.on('close', () => {
      signal.removeEventListener('abort', this.#teardown);
      this.#noteEnd();
    });
    if (signal.aborted) this.#teardown();
  }

  /**
   * Reads up to `limit` bytes that have arrived. If no bytes have arrived, waits for the first byte.
   *
   * @throws the signal's abort reason
   */
  async read(limit: number, timeoutMs = Number.POSITIVE_INFINITY): Promise<ReadResult> {
    const readyAt = this.#clock.now();
    for (;;) {
      this.#signal.throwIfAborted();
      const nextAt = this.#pieces[0]?.arrivesAt ?? this.#endsAt;
      const now = this.#clock.now();
      if (nextAt !== undefined && nextAt <= now) return this.#take(limit, readyAt, now);
      if (now >= readyAt + timeoutMs) return 'timeout';
      await this.#change(Math.min(nextAt ?? Number.POSITIVE_INFINITY, readyAt + timeoutMs) - now);
    }
  }

  /** True if the device has detected that the peer ended or reset the connection. Unread bytes may remain. */
  get hasEnded(): boolean {
    return this.#endsAt !== undefined && this.#endsAt <= this.#clock.now();
  }

  /** Sends bytes. If the peer has ended its side, the bytes are dropped, because lwIP then treats the client as disconnected. */
  write(bytes: Uint8Array | string): void {
    if (this.hasEnded || this.#isFinishing) return;
    this.#atPeer(() => {
      if (!this.#socket.destroyed) this.#socket.write(bytes);
    });
  }

  /** Ends the connection and waits until all written bytes have been sent. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    const socket = this.#socket;
    await new Promise<void>((resolve) => {
      socket.once('close', resolve);
      this.#atPeer(() => (socket.destroyed ? resolve() : socket.end(resolve)));
    });
    this.#signal.throwIfAborted();
    // During the delay, the peer can read the remaining bytes and close its side.
    socket.removeAllListeners('readable');
    socket.resume();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  }

  /** Leaves the connection open without reading or writing, until `signal` aborts. */
  abandon(signal: AbortSignal): void {
    this.#isFinishing = true;
    this.#outgoing.length = 0;
    this.#signal.removeEventListener('abort', this.#teardown);
    signal.addEventListener('abort', this.#teardown, { once: true });
  }

  /** Closes the connection with a reset (RST). A TLS connection is closed without an RST, because `TLSSocket` cannot send an RST. */
  reset(): void {
    const socket = this.#socket;
    if (socket instanceof TLSSocket) socket.destroy();
    else if (!socket.destroyed) socket.resetAndDestroy();
  }

  #pull(): void {
    const now = this.#clock.now();
    for (let credit = this.#credits[0]; credit !== undefined; credit = this.#credits[0]) {
      const count = Math.min(credit.bytes, this.#socket.readableLength);
      // On an empty stream, `read(0)` requests more data or detects the end of the stream.
      const bytes: unknown = this.#socket.read(count);
      if (count === 0 || !(bytes instanceof Uint8Array)) break;
      this.#pieces.push({ bytes, arrivesAt: Math.max(now + this.#link.rttMs / 2, credit.usableAt) });
      credit.bytes -= count;
      if (credit.bytes === 0) this.#credits.shift();
    }
    this.#wake();
  }

  #take(limit: number, readyAt: number, now: number): ReadResult {
    const taken: Uint8Array[] = [];
    let left = limit;
    for (let piece = this.#pieces[0]; piece !== undefined && left > 0; piece = this.#pieces[0]) {
      if (piece.arrivesAt > now) break;
      this.#pieces.shift();
      const bytes = piece.bytes.subarray(0, left);
      if (bytes.length < piece.bytes.length) this.#pieces.unshift({ ...piece, bytes: piece.bytes.subarray(left) });
      this.#readAt = Math.max(readyAt, piece.arrivesAt);
      this.#credits.push({ bytes: bytes.length, usableAt: this.#readAt + this.#link.rttMs });
      taken.push(bytes);
      left -= bytes.length;
    }
    if (taken.length === 0) return 'end';
    this.#pull();
    return taken.length === 1 && taken[0] !== undefined ? taken[0] : Buffer.concat(taken);
  }

  #noteEnd(): void {
    const last = this.#pieces.at(-1)?.arrivesAt ?? 0;
    this.#endsAt ??= Math.max(this.#clock.now() + this.#link.rttMs / 2, last);
    this.#wake();
  }

  /** Runs an action when the peer would see its effect: after half a round trip, and in order. */
  #atPeer(action: () => void): void {
    const now = this.#clock.now();
    const since = now - this.#readAt < jitterMs ? this.#readAt : now;
    this.#outgoing.push({ action, dueAt: since + this.#link.rttMs / 2 });
    if (this.#outgoing.length === 1) this.#send();
  }

  #send(): void {
    for (let next = this.#outgoing[0]; next !== undefined; next = this.#outgoing[0]) {
      const left = next.dueAt - this.#clock.now();
      if (left > 0) return void this.#clock.after(Math.ceil(left), () => this.#send());
      next.action();
      this.#outgoing.shift();
    }
  }

  /** Waits up to `ms` for the connection state to change. */
  async #change(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        cancelTimer?.();
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      const cancelTimer = Number.isFinite(ms) ? this.#clock.after(Math.max(1, Math.ceil(ms)), done) : undefined;
      this.#wake = done;
      this.#signal.addEventListener('abort', done, { once: true });
    });
  }
}
