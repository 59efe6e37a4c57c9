import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Bytes that the server read from one connection, as counted by the server's socket. With TLS, encrypted bytes are counted. */
export interface ServerReads {
  readonly totalBytes: number;
  /** Number of bytes read after the response was written. */
  readonly afterResponseBytes: number;
  /**
   * Status of the last response. A client that sends data endlessly may see the end of the connection before it has read the response.
   * Zero if there was none.
   */
  readonly status: number;
}

interface Connection {
  readonly socket: Socket;
  /** Number of bytes read when the last response was written. */
  responseAtBytes: number;
  status: number;
}

/**
 * Watches the connections to one server through the Node.js diagnostics channels. The channels report the connections to every server in
 * this process, and connections to two servers may use the same client port.
 *
 * @returns a function that waits until the server has closed the connection from a client port and returns the bytes read from it
 */
export function watchServerReads(
  t: ExecutionContext,
  serverPort: number,
): (clientPort: number) => Promise<ServerReads> {
  const connections = new Map<number, Connection>();
  const onSocket = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort !== serverPort || socket.remotePort === undefined) return;
    connections.set(socket.remotePort, { socket, responseAtBytes: 0, status: 0 });
  };
  const onRequest = (message: unknown) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.socket.localPort !== serverPort) return;
    const connection = connections.get(request.socket.remotePort ?? 0);
    response.writeHead = new Proxy(response.writeHead, {
      apply(writeHead, self, head) {
        if (connection !== undefined) {
          connection.responseAtBytes = connection.socket.bytesRead;
          connection.status = Number(head[0]);
        }
        return Reflect.apply(writeHead, self, head);
      },
    });
  };
  subscribe('net.server.socket', onSocket);
  subscribe('http.server.request.start', onRequest);
  t.teardown(() => {
    unsubscribe('net.server.socket', onSocket);
    unsubscribe('http.server.request.start', onRequest);
  });
  return async (clientPort) => {
    const connection = connections.get(clientPort);
    if (connection === undefined) throw new Error(`no server has a connection from port ${clientPort}`);
    const { socket } = connection;
    if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const { responseAtBytes, status } = connection;
    return { status, totalBytes: socket.bytesRead, afterResponseBytes: socket.bytesRead - responseAtBytes };
  };
}
