import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Maximum number of bytes read after the response, for clients that send a whole small body before they read the response. */
const mostDrainedBytes = 512 * 1024;
const drainMs = 2000;

/**
 * Closes the connection after the response if the request body was not read completely. Node.js would read the rest of the body, whatever
 * its length.
 *
 * Closing a socket with unread bytes resets the connection, and a client that is still sending loses the response. Therefore the server
 * stops reading when it responds, half-closes the connection after the response, reads a limited amount, and then destroys the socket.
 */
export function endWithUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  if (!hasBody(request)) return;
  // Every response calls `writeHead` before its headers are sent.
  response.writeHead = new Proxy(response.writeHead, {
    apply(writeHead, self, head) {
      if (!request.complete) leaveUnread(request.socket, response);
      return Reflect.apply(writeHead, self, head);
    },
  });
}

function leaveUnread(socket: Socket, response: ServerResponse): void {
  response.shouldKeepAlive = false;
  let drainedBytes = 0;
  let isResponseSent = false;
  socket.pause();
  // Detach the HTTP parser, so that it cannot read an unlimited amount of the body.
  socket.removeAllListeners('data');
  socket.on('data', ({ length }: Buffer) => {
    drainedBytes += length;
    if (drainedBytes <= mostDrainedBytes) return;
    if (isResponseSent) socket.destroy();
    else socket.pause();
  });
  // Node.js calls this method after writing the last response on a connection.
  socket.destroySoon = () => {
    if (isResponseSent) return;
    isResponseSent = true;
    const timer = setTimeout(() => socket.destroy(), drainMs);
    socket.once('close', () => clearTimeout(timer));
    socket.once('end', () => socket.destroy());
    socket.end();
    if (drainedBytes > mostDrainedBytes) {
      socket.once('finish', () => socket.destroy());
      return;
    }
    socket.resume();
    // The parser reads directly from the handle, so the stream still assumes that a read is in progress and would not start another.
    socket._read(0);
  };
}

/**
 * Sends `100 Continue` to a client that waits for it, but only when the body is about to be read. If the request is rejected, the client
 * receives only the error response.
 *
 * Handler for the server's `checkContinue` event.
 */
export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const onListener = (event: string | symbol) => {
    if (event !== 'data' && event !== 'readable') return;
    request.off('newListener', onListener);
    if (!response.headersSent) response.writeContinue();
  };
  request.on('newListener', onListener);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
