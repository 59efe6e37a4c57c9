import type { Server as HttpServer, IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { sendText } from './device/responses.ts';
import { continueWhenRead, endWithUnreadBody } from './unread-body.ts';

/**
 * Replaces Node.js's handling of `Expect` and of unread bodies. Node.js would send some responses itself and read every body to the end.
 */
export function handleRequests(server: HttpServer | HttpsServer, listener: RequestListener): void {
  server.on('request', (request, response) => {
    endWithUnreadBody(request, response);
    if (isAmbiguous(request)) refuseAmbiguous(response);
    else listener(request, response);
  });
  server.on('checkContinue', (request, response) => {
    endWithUnreadBody(request, response);
    if (isAmbiguous(request)) return refuseAmbiguous(response);
    continueWhenRead(request, response);
    listener(request, response);
  });
  server.on('checkExpectation', (request, response) => {
    endWithUnreadBody(request, response);
    sendText(response, 417, 'the only supported Expect value is 100-continue');
  });
}

/**
 * Returns whether a proxy may interpret the request differently: an HTTP/1.0 proxy ignores Transfer-Encoding (RFC 9112, 6.1), two Host
 * headers name two servers, and an HTTP/0.9 request has no headers.
 */
function isAmbiguous({ httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
  if (httpVersion !== '1.1' && (httpVersion !== '1.0' || headers['transfer-encoding'] !== undefined)) return true;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}

function refuseAmbiguous(response: ServerResponse): void {
  response.shouldKeepAlive = false;
  sendText(response, 400, 'Ambiguous request: conflicting HTTP version, Transfer-Encoding or Host', {
    Connection: 'close',
  });
}
