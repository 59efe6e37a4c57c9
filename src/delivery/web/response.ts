/** Response from a web server. It may be incomplete. */
export interface WebResponse {
  readonly status: number;
  readonly body: string;
  /** True if `Content-Length` bytes, or 64 KB, have arrived. A response without a `Content-Length` ends with the connection. */
  readonly isWhole: boolean;
}

const mostBytes = 64 * 1024;

/** Collects the bytes of an HTTP response and parses the response. */
export class ResponseReader {
  #bytes = Buffer.alloc(0);

  feed(bytes: Uint8Array): void {
    if (this.#bytes.length < mostBytes) this.#bytes = Buffer.concat([this.#bytes, bytes]);
  }

  /** Received bytes, limited to about 64 KB. They are shown to the user if they are not HTTP. */
  get text(): string {
    return this.#bytes.toString('latin1');
  }

  /** Parsed response. Undefined if the header is incomplete or is not HTTP. */
  get response(): WebResponse | undefined {
    const text = this.text;
    const headEnd = text.indexOf('\r\n\r\n');
    const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(text)?.[1];
    if (headEnd === -1 || status === undefined) return undefined;
    const body = text.slice(headEnd + 4);
    const length = /^content-length:\s*(\d+)/im.exec(text.slice(0, headEnd))?.[1];
    const isWhole = (length !== undefined && body.length >= Number(length)) || this.#bytes.length >= mostBytes;
    return { status: Number(status), body, isWhole };
  }
}
