/** What a web server answered, as far as it has come. */
export interface WebResponse {
  readonly status: number;
  readonly body: string;
  /** Whether all that it announced is here; without an announcement it ends with the connection. */
  readonly isWhole: boolean;
}

const mostBytes = 64 * 1024;

/** Collects a response until it is whole. */
export class ResponseReader {
  #bytes = Buffer.alloc(0);

  feed(bytes: Uint8Array): void {
    if (this.#bytes.length < mostBytes) this.#bytes = Buffer.concat([this.#bytes, bytes]);
  }

  /** The first bytes that came, for what is no HTTP. */
  get text(): string {
    return this.#bytes.toString('latin1');
  }

  /** @returns undefined while the head is not complete, and for what is no HTTP */
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
