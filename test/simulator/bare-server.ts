import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Server that records raw requests. It sends one prepared response per request, then repeats the last response. */
export interface BareServer {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly string[];
}

/** Response in pieces. `end` closes the connection after the last piece; `stay` leaves it open. */
export interface ScriptedResponse {
  readonly pieces: readonly (string | Uint8Array)[];
  readonly finally: 'end' | 'stay';
}

export async function bareServer(t: ExecutionContext, ...responses: readonly ScriptedResponse[]): Promise<BareServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.endsWith('\r\n\r\n')) return;
      requests.push(text);
      const response = responses[Math.min(requests.length, responses.length) - 1];
      for (const piece of response?.pieces ?? []) socket.write(piece);
      if (response?.finally === 'end') socket.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/update`, port, requests };
}

/** Builds a response with only these headers, without an implicit Content-Length. */
export function response(
  status: string,
  headers: readonly string[],
  ...body: readonly (string | Uint8Array)[]
): ScriptedResponse {
  return {
    pieces: [`HTTP/1.1 ${status}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`, ...body],
    finally: 'end',
  };
}

/** Builds a 200 response with an update as its body. */
export function update(bytes: Uint8Array, ...headers: readonly string[]): ScriptedResponse {
  return response('200 OK', [`Content-Length: ${bytes.length}`, ...headers], bytes);
}
