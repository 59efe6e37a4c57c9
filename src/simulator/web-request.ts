import type { StreamReader } from './stream-reader.ts';
import { type FileSink, readUploadForm } from './upload-form.ts';

/** Request as passed to a handler by ESP8266WebServer. */
export interface WebRequest {
  readonly method: string;
  readonly path: string;
  /** Minor HTTP version (the number after `HTTP/1.`), which the response repeats. */
  readonly minorVersion: number;
  /** Headers by lower-case name. For a repeated header, the last value is used. */
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * Reads the request line and headers like `_parseRequest` (Parsing-impl.h).
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
 * Reads the body by Content-Length, or a form up to its closing boundary. The header Transfer-Encoding is ignored, so a chunked form is
 * invalid.
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

/**
 * Returns the value after the first `=`, without quotes. Further parameters become part of the value, so `boundary` must be the only
 * parameter.
 */
function boundaryIn(type: string): string {
  return type.slice(type.indexOf('=') + 1).replaceAll('"', '');
}
