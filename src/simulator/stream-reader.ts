import type { LinkedSocket } from './linked-socket.ts';

/** Reads a connection as `Stream` of the core does: byte by byte out of what has arrived, with one time-out for each wait. */
export class StreamReader {
  readonly #connection: LinkedSocket;
  readonly #timeoutMs: number;
  #buffer: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(connection: LinkedSocket, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /** Waits until there is something to read. */
  wait(timeoutMs = this.#timeoutMs): Promise<'data' | 'end' | 'timeout'> {
    return this.#fill(timeoutMs);
  }

  /** Whether the connection has ended and all of it was read. */
  get isOver(): boolean {
    return this.#at === this.#buffer.length && this.#connection.hasEnded;
  }

  /** `readStringUntil`: what comes before `end`, which is taken too; or what came until a time-out or the end of the connection. */
  async textUntil(end: string): Promise<string> {
    const wanted = end.charCodeAt(0);
    let text = '';
    while ((await this.#fill(this.#timeoutMs)) === 'data') {
      const found = this.#buffer.indexOf(wanted, this.#at);
      text += latin1(this.#takeTo(found === -1 ? this.#buffer.length : found));
      if (found === -1) continue;
      this.#at++;
      return text;
    }
    return text;
  }

  /** A line and its CRLF, in the way of the core's parsers: up to CR, then up to LF. */
  async line(): Promise<string> {
    const text = await this.textUntil('\r');
    await this.textUntil('\n');
    return text;
  }

  /** Exactly so many bytes; fewer after a time-out or at the end. */
  async bytes(count: number, timeoutMs = this.#timeoutMs): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let left = count; left > 0 && (await this.#fill(timeoutMs)) === 'data'; ) {
      const piece = this.#takeTo(Math.min(this.#at + left, this.#buffer.length));
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  /** One byte, however long it takes; undefined at the end of the connection. */
  async byte(): Promise<number | undefined> {
    const state = await this.#fill(Number.POSITIVE_INFINITY);
    return state === 'data' ? this.#buffer[this.#at++] : undefined;
  }

  /** What has arrived before the next byte of this value, at least one byte unless that byte is next; undefined at the end. */
  async run(stopByte: number): Promise<Uint8Array | undefined> {
    if ((await this.#fill(Number.POSITIVE_INFINITY)) !== 'data') return undefined;
    const found = this.#buffer.indexOf(stopByte, this.#at);
    return this.#takeTo(found === -1 ? this.#buffer.length : found);
  }

  /** What has arrived, at most so many bytes. */
  async some(limit: number, timeoutMs: number): Promise<Uint8Array | 'end' | 'timeout'> {
    const state = await this.#fill(timeoutMs);
    return state === 'data' ? this.#takeTo(Math.min(this.#at + limit, this.#buffer.length)) : state;
  }

  /** Puts bytes back: `peekBytes`. */
  unread(bytes: Uint8Array): void {
    this.#buffer = Buffer.concat([bytes, this.#buffer.subarray(this.#at)]);
    this.#at = 0;
  }

  #takeTo(end: number): Uint8Array {
    const taken = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  async #fill(timeoutMs: number): Promise<'data' | 'end' | 'timeout'> {
    if (this.#at < this.#buffer.length) return 'data';
    const read = await this.#connection.read(Number.POSITIVE_INFINITY, timeoutMs);
    if (typeof read === 'string') return read;
    this.#buffer = read;
    this.#at = 0;
    return 'data';
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
