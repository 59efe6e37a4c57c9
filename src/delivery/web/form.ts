import { createHash } from 'node:crypto';
import type { ImageKind } from '../../core/model/artifact.ts';

/** A request to the web updater, as its bytes go over the wire. */
export interface UpdateRequest {
  readonly head: Uint8Array;
  readonly image: Uint8Array;
  readonly tail: Uint8Array;
}

export interface Place {
  /** `door.local:8080`: what the `Host` header says. */
  readonly host: string;
  readonly path: string;
  /** The value of the `Authorization` header. */
  readonly authorization: string | undefined;
}

/**
 * The form in the one shape that `ESP8266WebServerTemplate::_parseForm` (Parsing-impl.h) can take: CRLF throughout, nothing before the first boundary, one
 * part with a name, a `filename` (a part without one is no upload) and a type, CRLF behind the last boundary, which it waits for; in the
 * head, `boundary` as the only parameter (it takes all behind the first `=` for it) and the length (it knows no chunks).
 */
export function updateRequest(image: Uint8Array, kind: ImageKind, place: Place): UpdateRequest {
  const boundary = boundaryFor(image);
  // ESP8266HTTPUpdateServer takes every name but `filesystem` for a sketch.
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

/** Asks for the page with the form. */
export function pageRequest(place: Place): Uint8Array {
  return Buffer.from(`${requestLine('GET', place)}\r\n\r\n`, 'latin1');
}

/** The value of the `Authorization` header. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

function requestLine(method: string, { host, path, authorization }: Place): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close'];
  return [...lines, ...(authorization === undefined ? [] : [`Authorization: ${authorization}`])].join('\r\n');
}

/** A boundary that does not occur in the image; the same image gives the same one. */
function boundaryFor(image: Uint8Array): string {
  const content = Buffer.from(image.buffer, image.byteOffset, image.length);
  for (let count = 0; ; count++) {
    const digest = createHash('sha256').update(content).update(`${count}`).digest('hex');
    const boundary = `ota-hooks-${digest.slice(0, 24)}`;
    if (!content.includes(boundary)) return boundary;
  }
}
