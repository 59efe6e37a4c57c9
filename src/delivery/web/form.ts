import { createHash } from 'node:crypto';

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
  /** Value of the `Referer` header. */
  readonly referer?: string | undefined;
}

/** Part of a form that contains the image. */
export interface FilePart {
  readonly name: string;
  readonly fileName: string;
}

/** Text field of a form. */
export interface FormField {
  readonly name: string;
  readonly value: string;
}

/** Parts of an upload form. Text fields precede or follow the image. */
export interface UploadParts {
  readonly file: FilePart;
  readonly before?: readonly FormField[] | undefined;
  readonly after?: readonly FormField[] | undefined;
}

/**
 * Builds the upload request in the only form that `ESP8266WebServerTemplate::_parseForm` (Parsing-impl.h) accepts: CRLF line endings,
 * nothing before the first boundary, parts with a name, for the image a type and a `filename`, and a CRLF after the last boundary.
 * `boundary` is the only parameter of `Content-Type`, because the parser reads everything after the first `=` as the boundary.
 * `Content-Length` is required, because chunked bodies are not supported.
 */
export function updateRequest(image: Uint8Array, parts: UploadParts, place: WebTarget): UpdateForm {
  const { file, before = [], after = [] } = parts;
  const boundary = boundaryFor(image);
  const opening = [
    ...before.map((field) => textPart(boundary, field)),
    `--${boundary}\r\nContent-Disposition: form-data; name="${file.name}"; filename="${file.fileName}"\r\n`,
    'Content-Type: application/octet-stream\r\n\r\n',
  ].join('');
  const closing = `\r\n${after.map((field) => textPart(boundary, field)).join('')}--${boundary}--\r\n`;
  const head = [
    requestLine('POST', place),
    `Content-Type: multipart/form-data; boundary=${boundary}`,
    `Content-Length: ${opening.length + image.length + closing.length}`,
    '',
    opening,
  ].join('\r\n');
  return { head: Buffer.from(head, 'latin1'), image, tail: Buffer.from(closing, 'latin1') };
}

function textPart(boundary: string, { name, value }: FormField): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** Builds a GET request. */
export function pageRequest(place: WebTarget): Uint8Array {
  return Buffer.from(`${requestLine('GET', place)}\r\n\r\n`, 'latin1');
}

/** Returns the value of the `Authorization` header for Basic authentication. */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}

function requestLine(method: string, { host, path, authorization, referer }: WebTarget): string {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close'];
  if (authorization !== undefined) lines.push(`Authorization: ${authorization}`);
  if (referer !== undefined) lines.push(`Referer: ${referer}`);
  return lines.join('\r\n');
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
