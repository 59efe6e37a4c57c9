import type { ServerResponse } from 'node:http';
import type { Artifact } from '../../../core/model/manifest.ts';

/** Something that a device or its owner can read. Devices know 401, 403 and 404; all else is "wrong code" to them. */
export function answerText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    ...headers,
  });
  response.end(body);
}

/** Nothing to do. */
export function answerNotModified(response: ServerResponse): void {
  response.writeHead(304);
  response.end();
}

/** What `ESP8266HTTPUpdate::getAvailableVersion` reads. */
export function answerVersion(response: ServerResponse, version: string, md5: string | undefined): void {
  response.writeHead(200, { 'x-version': headerSafe(version), ...(md5 && { 'x-MD5': md5 }), 'Content-Length': 0 });
  response.end();
}

/**
 * The headers of a download: of those the device needs Content-Length, and x-MD5 once and without quotes.
 *
 * @param withLength not where a web server in front sends the body
 */
export function writeDownloadHead(
  response: ServerResponse,
  { file, md5, sizeBytes }: Artifact,
  version: string,
  more: Readonly<Record<string, string>> = { 'Content-Length': String(sizeBytes) },
): void {
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename=${fileNameToken(file)}`,
    'x-MD5': md5,
    'x-version': headerSafe(version),
    'Cache-Control': 'no-store',
    ...more,
  });
}

/** A file's name as a header can carry it without quotes. */
function fileNameToken(file: string): string {
  return file.replace(/[^A-Za-z0-9._+-]/g, '_');
}

/** What a device or a manifest says of itself may be anything. */
function headerSafe(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '_');
}
