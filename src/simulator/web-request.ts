import type { StreamReader } from './stream-reader.ts';
import { type FileSink, readUploadForm } from './upload-form.ts';

/** Request as ESP8266WebServer passes it to a handler. */
export interface WebRequest {
  readonly method: string;
  readonly path: string;
  /** Number after `HTTP/1.`, which the response repeats. */
  readonly minorVersion: number;
  /** Headers by lower-case name. If a header is repeated, the last value is used. */
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * Reads a request head as `_parseRequest` (Parsing-impl.h) does.
 *
 * @returns undefined if the server drops the connection
 */
export async function readRequestHead(reader: StreamReader): Promise<WebRequest | undefined> {
  const [, method, url, rest] = /^(\S*) (\S*) (.*)$/.exec(await reader.line()) ?? [];
  if (method === undefined || url === undefined) return undefined;
  const headers = new Map<string, string>();
  for (let line = await reader.line(); line.includes(':'); line = await reader.line()) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const minorVersion = Number.parseInt(rest?.slice(7) ?? '', 10) || 0;
  return { method, path: url.replace(/\?.*$/, ''), minorVersion, headers };
}

const methodsWithBody = ['POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * Reads the body by Content-Length, or a form up to its closing boundary. Transfer-Encoding is ignored, so a chunked body is read as a
 * form that does not start with the boundary.
 *
 * @returns false if the server drops the connection
 */
export async function readRequestBody(reader: StreamReader, request: WebRequest, sink: FileSink): Promise<boolean> {
  if (!methodsWithBody.includes(request.method)) return true;
  const type = request.headers.get('content-type') ?? '';
  if (type.startsWith('multipart/')) return readUploadForm(reader, boundaryIn(type), sink);
  const length = contentLength(request);
  return (await reader.bytes(length)).length === length;
}

export function contentLength({ headers }: WebRequest): number {
  return Math.max(0, Number.parseInt(headers.get('content-length') ?? '0', 10) || 0);
}

/** Returns everything after the first `=`, without quotes. This is why `boundary` must be the only parameter. */
function boundaryIn(type: string): string {
  return type.slice(type.indexOf('=') + 1).replaceAll('"', '');
}
