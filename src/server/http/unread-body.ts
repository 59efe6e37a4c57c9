import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Read after the response, for clients that send a small body whole before they read. */
const mostDrainedBytes = 512 * 1024;
const drainMs = 2000;

/**
 * Ends the connection with the response when the request's body was not read to its end. node would read the rest, however long.
 *
 * Closing a socket with unread bytes resets the connection, and a client that is still sending loses the response. So the server stops
 * reading when it responds, half-closes the connection behind the response, reads a little more, and destroys the socket.
 */
export function endWithUnreadBody(request: IncomingMessage, response: ServerResponse): void {
  if (!hasBody(request)) return;
  // Every response goes through this method before its headers are sent.
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
  let isAnswered = false;
  socket.pause();
  // From here on the parser gets nothing: whatever it would ask for is not read without end.
  socket.removeAllListeners('data');
  socket.on('data', ({ length }: Buffer) => {
    drainedBytes += length;
    if (drainedBytes <= mostDrainedBytes) return;
    if (isAnswered) socket.destroy();
    else socket.pause();
  });
  // node calls it when the last response of a connection is written.
  socket.destroySoon = () => {
    if (isAnswered) return;
    isAnswered = true;
    const timer = setTimeout(() => socket.destroy(), drainMs);
    socket.once('close', () => clearTimeout(timer));
    socket.once('end', () => socket.destroy());
    socket.end();
    if (drainedBytes > mostDrainedBytes) {
      socket.once('finish', () => socket.destroy());
      return;
    }
    socket.resume();
    // The parser reads past the stream, which believes that it is reading still, and would not begin again.
    socket._read(0);
  };
}

/**
 * Sends `100 Continue` when the body is about to be read, to a client that waits for it. A refusal comes without it.
 *
 * For the server's `checkContinue` event.
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
