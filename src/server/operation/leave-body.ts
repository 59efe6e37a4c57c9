import type { IncomingMessage, ServerResponse } from 'node:http';

/** A body that nobody wants is not read to its end, however long it is: the connection ends with the answer. */
export function leaveBody({ headers }: IncomingMessage, response: ServerResponse): void {
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  if (hasBody) response.shouldKeepAlive = false;
}
