import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Clock, systemClock } from './clock.ts';
import type { LinkModel } from './link.ts';

interface Piece {
  readonly bytes: Uint8Array;
  readonly arrivesAt: number;
}

/** Receive window space that the sender can use from time `usableAt`. */
interface Credit {
  bytes: number;
  readonly usableAt: number;
}

/** Result of a read: bytes, the end of the connection, or a timeout. */
export type ReadResult = Uint8Array | 'end' | 'timeout';

/** Delays below this limit count as timer jitter, so that late timers do not slow the link down permanently. */
const jitterMs = 8;
const lingerMs = 2000;

/**
 * The device's end of a TCP connection, simulated over a link with round-trip time R and receive window W.
 *
 * The peer is a real program on a real socket, and loopback delivers its bytes immediately. This class therefore delays them: bytes arrive
 * R/2 after they are read from the socket, at most W bytes are in flight or unread, and window space freed by a read is usable R later (R/2
 * until the sender learns of it, R/2 until its bytes arrive). As over a real link, a streaming sender thus sends W bytes per round trip,
 * and a sender that waits for each response sends one write per round trip. Slow start is not simulated, because W is below the initial
 * window of ten segments. The socket is not read while the window is full.
 *
 * One difference from a real link: the kernel's loopback buffers hold an additional few hundred kilobytes to a few megabytes. As with a
 * large send buffer, a completed write does not show that the device received the bytes; only the device's acknowledgements do.
 *
 * Due times are computed from earlier due times, not from the time at which a timer fires, so that delays do not accumulate.
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
   * Reads the bytes that have arrived, at most `limit`. If none have, waits for the first.
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

  /** Whether the device has noticed that the peer ended or reset the connection. Unread bytes may remain. */
  get hasEnded(): boolean {
    return this.#endsAt !== undefined && this.#endsAt <= this.#clock.now();
  }

  /** Sends bytes. If the peer has ended its side, they are dropped, because lwIP then treats the client as disconnected. */
  write(bytes: Uint8Array | string): void {
    if (this.hasEnded || this.#isFinishing) return;
    this.#atPeer(() => {
      if (!this.#socket.destroyed) this.#socket.write(bytes);
    });
  }

  /** Ends the connection after all written bytes, and waits until they have been sent. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    const socket = this.#socket;
    await new Promise<void>((resolve) => {
      socket.once('close', resolve);
      this.#atPeer(() => (socket.destroyed ? resolve() : socket.end(resolve)));
    });
    this.#signal.throwIfAborted();
    // Give the peer time to read the remaining bytes and close its side.
    socket.removeAllListeners('readable');
    socket.resume();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  }

  /** Leaves the connection open, unread and unanswered, until `signal` aborts. */
  abandon(signal: AbortSignal): void {
    this.#isFinishing = true;
    this.#outgoing.length = 0;
    this.#signal.removeEventListener('abort', this.#teardown);
    signal.addEventListener('abort', this.#teardown, { once: true });
  }

  /** Closes the connection with a reset (RST). A TLS connection is closed without an RST, because `TLSSocket` cannot send it. */
  reset(): void {
    const socket = this.#socket;
    if (socket instanceof TLSSocket) socket.destroy();
    else if (!socket.destroyed) socket.resetAndDestroy();
  }

  #pull(): void {
    const now = this.#clock.now();
    for (let credit = this.#credits[0]; credit !== undefined; credit = this.#credits[0]) {
      const count = Math.min(credit.bytes, this.#socket.readableLength);
      // On an empty stream, `read(0)` requests more data or detects the end.
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

  /** Runs an action at the time when the peer would see its effect: half a round trip from now, and in order. */
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
