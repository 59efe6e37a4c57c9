import { createHash } from 'node:crypto';
import type { ImageKind } from '../../core/model/artifact.ts';

/** Complete request to the web updater. */
export interface UpdateForm {
  readonly head: Uint8Array;
  readonly image: Uint8Array;
  readonly tail: Uint8Array;
}

export interface WebTarget {
  /** Value of the `Host` header, such as `door.local:8080`. */
  readonly host: string;
  readonly path: string;
  /** Value of the `Authorization` header. */
  readonly authorization: string | undefined;
}

/**
 * Builds the upload request in the only form that `ESP8266WebServerTemplate::_parseForm` (Parsing-impl.h) accepts: CRLF line endings,
 * nothing before the first boundary, one part with a name, a type and a `filename`, and a CRLF after the last boundary. `boundary` is the
 * only parameter of `Content-Type`, because the parser reads everything after the first `=` as the boundary. `Content-Length` is
 * required, because chunked bodies are not supported.
 */
export function updateRequest(image: Uint8Array, kind: ImageKind, place: WebTarget): UpdateForm {
  const boundary = boundaryFor(image);
  // ESP8266HTTPUpdateServer treats a file with any name except `filesystem` as a sketch.
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

/** Returns the value of the `Authorization` header for Basic authentication. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

function requestLine(method: string, { host, path, authorization }: WebTarget): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close'];
  return [...lines, ...(authorization === undefined ? [] : [`Authorization: ${authorization}`])].join('\r\n');
}

/** Returns a boundary that does not occur in the image. The boundary is always the same for an image. */
function boundaryFor(image: Uint8Array): string {
  const content = Buffer.from(image.buffer, image.byteOffset, image.length);
  for (let count = 0; ; count++) {
    const digest = createHash('sha256').update(content).update(`${count}`).digest('hex');
    const boundary = `ota-hooks-${digest.slice(0, 24)}`;
    if (!content.includes(boundary)) return boundary;
  }
}
