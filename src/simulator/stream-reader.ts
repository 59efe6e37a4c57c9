import type { LinkedSocket } from './linked-socket.ts';

/** Reads from a connection like the core's `Stream`: only bytes that have arrived, with a timeout for each wait. */
export class StreamReader {
  readonly #connection: LinkedSocket;
  readonly #timeoutMs: number;
  #buffer: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(connection: LinkedSocket, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
  }

  /** Waits for data, the end of the connection or the timeout. */
  wait(timeoutMs = this.#timeoutMs): Promise<'data' | 'end' | 'timeout'> {
    return this.#fill(timeoutMs);
  }

  /** True if the connection has ended and all bytes have been read. */
  get isOver(): boolean {
    return this.#at === this.#buffer.length && this.#connection.hasEnded;
  }

  /** Reads text like `readStringUntil`: up to `end`, a timeout or the end of the connection. `end` is consumed. */
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

  /** Reads a line and its CRLF like the core's parsers: first up to the CR, then up to the LF. */
  async line(): Promise<string> {
    const text = await this.textUntil('\r');
    await this.textUntil('\n');
    return text;
  }

  /** Reads `count` bytes. Returns fewer bytes after a timeout or at the end of the connection. */
  async bytes(count: number, timeoutMs = this.#timeoutMs): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let left = count; left > 0 && (await this.#fill(timeoutMs)) === 'data'; ) {
      const piece = this.#takeTo(Math.min(this.#at + left, this.#buffer.length));
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces);
  }

  /** Reads one byte without a timeout. Returns undefined at the end of the connection. */
  async byte(): Promise<number | undefined> {
    const state = await this.#fill(Number.POSITIVE_INFINITY);
    return state === 'data' ? this.#buffer[this.#at++] : undefined;
  }

  /** Reads received bytes up to the next `stopByte`. The result may be empty. Returns undefined at the end of the connection. */
  async run(stopByte: number): Promise<Uint8Array | undefined> {
    if ((await this.#fill(Number.POSITIVE_INFINITY)) !== 'data') return undefined;
    const found = this.#buffer.indexOf(stopByte, this.#at);
    return this.#takeTo(found === -1 ? this.#buffer.length : found);
  }

  /** Reads up to `limit` bytes that have arrived. */
  async some(limit: number, timeoutMs: number): Promise<Uint8Array | 'end' | 'timeout'> {
    const state = await this.#fill(timeoutMs);
    return state === 'data' ? this.#takeTo(Math.min(this.#at + limit, this.#buffer.length)) : state;
  }

  /** Puts bytes back in front of the unread bytes, which simulates `peekBytes`. */
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
