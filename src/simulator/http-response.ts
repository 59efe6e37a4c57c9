import type { ClientError } from './http-errors.ts';
import type { StreamReader } from './stream-reader.ts';

/** Headers and status that the HTTP client stores. */
export interface HttpResponse {
  readonly status: number;
  /** Value of Content-Length, or -1 if the header is missing. */
  readonly sizeBytes: number;
  /** Values of all `x-MD5` headers, joined by commas. */
  readonly md5: string;
  /** Values of all `x-version` headers, joined by commas. */
  readonly version: string;
  readonly location: string;
}

const collected = ['x-md5', 'x-version'];

/** Reads the header of a response like `HTTPClient::handleHeaderResponse` (ESP8266HTTPClient.cpp). */
export async function readResponse(reader: StreamReader): Promise<HttpResponse | { readonly error: ClientError }> {
  const headers = new Map<string, string>();
  let status = 0;
  for (;;) {
    const state = await reader.wait();
    if (state !== 'data') return { error: state === 'end' ? 'connectionLost' : 'readTimeout' };
    const line = await reader.textUntil('\n');
    const colon = line.indexOf(':');
    if (line.startsWith('HTTP/1.')) {
      status = Number.parseInt(line.slice('HTTP/1.x '.length), 10) || 0;
    } else if (colon > 0) {
      const name = line.slice(0, colon).toLowerCase();
      headers.set(name, joined(name, headers.get(name), line.slice(colon + 1).trim()));
    } else if (line.trim() === '') {
      return readHeaders(status, headers);
    }
  }
}

/** Joins all values of a header that the client collects. For all other headers, only the last value is kept. */
function joined(name: string, before: string | undefined, value: string): string {
  return before !== undefined && before !== '' && collected.includes(name) ? `${before},${value}` : value;
}

function readHeaders(
  status: number,
  headers: ReadonlyMap<string, string>,
): HttpResponse | { readonly error: ClientError } {
  const encoding = headers.get('transfer-encoding') ?? '';
  // The client accepts chunked responses. The Updater reads from the raw connection, so chunks are not decoded.
  if (encoding !== '' && encoding.toLowerCase() !== 'chunked') return { error: 'encoding' };
  if (status <= 0) return { error: 'noHttpServer' };
  const length = headers.get('content-length');
  return {
    status,
    sizeBytes: length === undefined ? -1 : Number.parseInt(length, 10) || 0,
    md5: headers.get('x-md5') ?? '',
    version: headers.get('x-version') ?? '',
    location: headers.get('location') ?? '',
  };
}
