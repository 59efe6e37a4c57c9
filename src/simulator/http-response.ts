import type { ClientError } from './http-errors.ts';
import type { StreamReader } from './stream-reader.ts';

/** What the HTTP client keeps of the head of an answer. */
export interface HttpResponse {
  readonly status: number;
  /** Of Content-Length; -1 without one. */
  readonly sizeBytes: number;
  /** All values of the header of that name, joined by commas. */
  readonly md5: string;
  readonly version: string;
  readonly location: string;
}

const collected = ['x-md5', 'x-version'];

/** `HTTPClient::handleHeaderResponse` (ESP8266HTTPClient.cpp). */
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
      return judged(status, headers);
    }
  }
}

/** A header that is collected keeps all its values, any other one the last. */
function joined(name: string, before: string | undefined, value: string): string {
  return before !== undefined && before !== '' && collected.includes(name) ? `${before},${value}` : value;
}

function judged(status: number, headers: ReadonlyMap<string, string>): HttpResponse | { readonly error: ClientError } {
  const encoding = headers.get('transfer-encoding') ?? '';
  // Chunks are for those who ask the client for the body; the Updater reads the connection itself.
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
