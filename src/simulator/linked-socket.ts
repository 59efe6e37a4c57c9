import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Clock, systemClock } from './clock.ts';
import type { LinkModel } from './link.ts';

interface Piece {
  readonly bytes: Uint8Array;
  readonly arrivesAt: number;
}

/** Room in the receive window that the sender may use from a moment on. */
interface Credit {
  bytes: number;
  readonly usableAt: number;
}

/** What a read brings: bytes, the end of the connection, or nothing in time. */
export type ReadResult = Uint8Array | 'end' | 'timeout';

/** A timer that fires late must not slow a link down for ever: so much is taken as jitter. */
const jitterMs = 8;
const lingerMs = 2000;

/**
 * The device's end of a TCP connection, as it would be over a link with a round trip of R and a receive window of W.
 *
 * The peer is a real program on a real socket, and loopback brings its bytes at once. So the bytes are taken from the socket but are held
 * back: they arrive R/2 after they were taken, at most W of them are under way or unread, and the room that a read makes can be used R
 * later (R/2 until the sender hears of it, R/2 until its bytes are here). A sender that streams thus gets W bytes a round trip, and one
 * that waits for each answer gets one write a round trip, as over a real link; slow start does not matter, since W is below the ten
 * segments that a sender may begin with. The socket is not read while there is no room. What is not like a real link: the kernel's own
 * buffers for loopback take some hundred kilobytes to a few megabytes besides, so that a sender whose writes have all returned knows as
 * little as with a large send buffer. What the device acknowledged is true here as there.
 *
 * Moments are reckoned from the moments before, not from when timers fired, so that lateness does not add up.
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

  /** @param signal tears the connection down when it aborts */
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
   * What has arrived, at most `limit` bytes; waits for the first of them.
   *
   * @throws the reason of the signal, when it aborts
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

  /** Whether the peer is known to have ended or broken the connection. Unread bytes may still be there. */
  get hasEnded(): boolean {
    return this.#endsAt !== undefined && this.#endsAt <= this.#clock.now();
  }

  /** Sends, unless the peer has ended its side: then lwIP's client counts as disconnected and drops what is printed to it. */
  write(bytes: Uint8Array | string): void {
    if (this.hasEnded || this.#isFinishing) return;
    this.#atPeer(() => {
      if (!this.#socket.destroyed) this.#socket.write(bytes);
    });
  }

  /** Ends the connection behind what was written, and waits until that has left. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    const socket = this.#socket;
    await new Promise<void>((resolve) => {
      socket.once('close', resolve);
      this.#atPeer(() => (socket.destroyed ? resolve() : socket.end(resolve)));
    });
    this.#signal.throwIfAborted();
    // The peer has some time to read and to close its own side.
    socket.removeAllListeners('readable');
    socket.resume();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  }

  /** Leaves the connection as it is, unread and unanswered, until `signal` aborts. */
  abandon(signal: AbortSignal): void {
    this.#isFinishing = true;
    this.#outgoing.length = 0;
    this.#signal.removeEventListener('abort', this.#teardown);
    signal.addEventListener('abort', this.#teardown, { once: true });
  }

  /** Tears the connection down: the peer sees a reset, which TLS has no way to cause. */
  reset(): void {
    const socket = this.#socket;
    if (socket instanceof TLSSocket) socket.destroy();
    else if (!socket.destroyed) socket.resetAndDestroy();
  }

  #pull(): void {
    const now = this.#clock.now();
    for (let credit = this.#credits[0]; credit !== undefined; credit = this.#credits[0]) {
      const count = Math.min(credit.bytes, this.#socket.readableLength);
      // Of a stream that is empty it asks for more, or finds its end.
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

  /** Does something when it would be seen by the peer: half a round trip from now, and in order. */
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

  /** Waits for news of the connection, or for `ms`. */
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
