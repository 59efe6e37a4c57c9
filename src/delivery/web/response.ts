/** Response of a web server. The response may be incomplete. */
export interface WebResponse {
  readonly status: number;
  readonly body: string;
  /**
   * True if the whole body or {@link mostBytes} bytes have been received. Without `Content-Length`, the response ends with the connection.
   */
  readonly isWhole: boolean;
}

/** Limit for received bytes. The responses of an updater have a few hundred bytes; a page of the sketch may have more. */
const mostBytes = 64 * 1024;

interface Head {
  readonly status: number | undefined;
  readonly bodyAt: number;
  /** `Content-Length`, if present. */
  readonly length: number | undefined;
  readonly isChunked: boolean;
}

/** Collects and parses a response. The head is parsed only once, because bytes may arrive one by one. */
export class ResponseReader {
  readonly #bytes = Buffer.alloc(mostBytes);
  #count = 0;
  #head: Head | undefined;

  feed(bytes: Uint8Array): void {
    const from = Math.max(0, this.#count - headEnd.length);
    const part = bytes.subarray(0, mostBytes - this.#count);
    this.#bytes.set(part, this.#count);
    this.#count += part.length;
    this.#head ??= this.#parseHead(from);
  }

  /** True if no further bytes are accepted. */
  get isFull(): boolean {
    return this.#count >= mostBytes;
  }

  /** Raw received bytes, limited to 64 KB. Shown to users if the bytes are not HTTP. */
  get text(): string {
    return this.#bytes.toString('latin1', 0, this.#count);
  }

  get isWhole(): boolean {
    const { status, bodyAt, length } = this.#head ?? {};
    if (status === undefined || bodyAt === undefined) return false;
    return this.isFull || (length !== undefined && this.#count - bodyAt >= length);
  }

  /** Parsed response. Undefined if its header is still incomplete or is not HTTP. */
  get response(): WebResponse | undefined {
    const { status, bodyAt, isChunked } = this.#head ?? {};
    if (status === undefined || bodyAt === undefined) return undefined;
    const body = this.#bytes.toString('latin1', bodyAt, this.#count);
    return { status, body: isChunked === true ? joinChunks(body) : body, isWhole: this.isWhole };
  }

  #parseHead(from: number): Head | undefined {
    const end = this.#bytes.subarray(0, this.#count).indexOf(headEnd, from, 'latin1');
    if (end === -1) return undefined;
    const head = this.#bytes.toString('latin1', 0, end);
    const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(head)?.[1];
    const length = /^content-length:[ \t]*(\d+)/im.exec(head)?.[1];
    return {
      status: status === undefined ? undefined : Number(status),
      bodyAt: end + headEnd.length,
      length: length === undefined ? undefined : Number(length),
      isChunked: /^transfer-encoding:[ \t]*chunked/im.test(head),
    };
  }
}

/** Removes the sizes from a chunked body. A size in the middle of a sentence would hide the result of the update. */
function joinChunks(body: string): string {
  const chunks: string[] = [];
  for (let at = 0; at < body.length; ) {
    const lineEnd = body.indexOf('\r\n', at);
    const digits = lineEnd === -1 ? undefined : /^[0-9a-f]{1,6}/i.exec(body.slice(at, at + 6))?.[0];
    if (digits === undefined) break;
    const start = lineEnd + 2;
    const end = start + Number.parseInt(digits, 16);
    if (end === start) break;
    chunks.push(body.slice(start, end));
    at = end + 2;
  }
  return chunks.join('');
}

const headEnd = '\r\n\r\n';
