import type { ServerResponse } from 'node:http';
import type { Artifact } from '../../../core/model/manifest.ts';
import { retryAfterSeconds } from '../retry-after.ts';

/** Sends a plain text response. Devices distinguish 401, 403 and 404; they report every other status as "wrong code". */
export function sendText(
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

/** Sends 304 to report that no update is available. */
export function sendNotModified(response: ServerResponse): void {
  response.writeHead(304);
  response.end();
}

/**
 * Sends 503 if the server cannot decide or deliver now. The device keeps its firmware, reports an error and checks again later. A 304 would
 * mean that there is nothing to install.
 */
export function sendUnavailable(response: ServerResponse): void {
  sendText(response, 503, 'The server is temporarily unavailable', { 'Retry-After': String(retryAfterSeconds) });
}

/** Sends the headers that `ESP8266HTTPUpdate::getAvailableVersion` reads. */
export function sendVersion(response: ServerResponse, version: string, md5: string | undefined): void {
  response.writeHead(200, { 'x-version': headerSafe(version), ...(md5 && { 'x-MD5': md5 }), 'Content-Length': 0 });
  response.end();
}

/**
 * Writes the download headers. The device requires Content-Length, and x-MD5 exactly once and without quotes.
 *
 * @param more additional headers; they replace the default Content-Length if a reverse proxy sends the body
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

/** Returns the file name in a form that needs no quotes in a header. */
function fileNameToken(file: string): string {
  return file.replace(/[^A-Za-z0-9._+-]/g, '_');
}

/** Replaces all characters except printable ASCII, because a version from a device or a manifest may contain any character. */
function headerSafe(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '_');
}
