import { createHash } from 'node:crypto';
import type { ImageKind } from '../../core/model/artifact.ts';

/** Request to the web updater, ready to send. */
export interface UpdateForm {
  readonly head: Uint8Array;
  readonly image: Uint8Array;
  readonly tail: Uint8Array;
}

export interface WebTarget {
  /** `Host` header value, such as `door.local:8080`. */
  readonly host: string;
  readonly path: string;
  /** `Authorization` header value. */
  readonly authorization: string | undefined;
}

/**
 * Builds the upload request in the only form that `ESP8266WebServerTemplate::_parseForm` (Parsing-impl.h) accepts: CRLF line endings,
 * nothing before the first boundary, one part with a name, a type and a `filename` (without a `filename`, the part is not an upload), and a
 * CRLF after the last boundary, which the parser waits for. `boundary` is the only parameter of `Content-Type`, since the parser reads
 * everything after the first `=` as its value. `Content-Length` is required because chunked bodies are not supported.
 */
export function updateRequest(image: Uint8Array, kind: ImageKind, place: WebTarget): UpdateForm {
  const boundary = boundaryFor(image);
  // ESP8266HTTPUpdateServer treats every name except `filesystem` as a sketch.
  const name = kind === 'filesystem' ? 'filesystem' : 'firmware';
  const opening = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${name}"; filename="${name}.bin"`,
    'Content-Type: application/octet-stream',
    '',
    '',
  ].join('\r\n');
  const closing = `\r\n--${boundary}--\r\n`;
  const head = [
    requestLine('POST', place),
    `Content-Type: multipart/form-data; boundary=${boundary}`,
    `Content-Length: ${opening.length + image.length + closing.length}`,
    '',
    opening,
  ].join('\r\n');
  return { head: Buffer.from(head, 'latin1'), image, tail: Buffer.from(closing, 'latin1') };
}

/** Builds the request for the form page. */
export function pageRequest(place: WebTarget): Uint8Array {
  return Buffer.from(`${requestLine('GET', place)}\r\n\r\n`, 'latin1');
}

/** Returns the `Authorization` header value for Basic authentication. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

function requestLine(method: string, { host, path, authorization }: WebTarget): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close'];
  return [...lines, ...(authorization === undefined ? [] : [`Authorization: ${authorization}`])].join('\r\n');
}

/** Returns a boundary that does not occur in the image. The same image always gets the same boundary. */
function boundaryFor(image: Uint8Array): string {
  const content = Buffer.from(image.buffer, image.byteOffset, image.length);
  for (let count = 0; ; count++) {
    const digest = createHash('sha256').update(content).update(`${count}`).digest('hex');
    const boundary = `ota-hooks-${digest.slice(0, 24)}`;
    if (!content.includes(boundary)) return boundary;
  }
}
