import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Received request with its complete body. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** `break` closes the connection without a response; `silence` sends no response. */
export type Reply =
  | 'break'
  | 'silence'
  | {
      readonly status: number;
      readonly json?: unknown;
      readonly text?: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface ScriptedServer {
  readonly url: URL;
  readonly arrived: Arrived[];
}

/** Server with scripted responses, for faults that a correct server never produces. */
export async function scriptedServer(
  t: ExecutionContext,
  reply: (request: Arrived, count: number) => Reply,
  port = 0,
): Promise<ScriptedServer> {
  const arrived: Arrived[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const each = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      arrived.push(each);
      say(reply(each, arrived.length), response);
    });
  });
  return { url: await listen(t, server, port), arrived };
}

/** Server that resets (RST) the first connections, when they open or when a request arrives, and sends `"done"` on later ones. */
export async function resettingServer(
  t: ExecutionContext,
  resets: number,
  event: 'connection' | 'request',
): Promise<{ readonly url: URL; connections(): number }> {
  let count = 0;
  const server = createServer(({ socket }, response) => {
    if (count <= resets) socket.resetAndDestroy();
    else say({ status: 200, json: 'done' }, response);
  });
  server.on('connection', (socket: Socket) => {
    count++;
    if (event === 'connection' && count <= resets) socket.resetAndDestroy();
  });
  return { url: await listen(t, server, 0), connections: () => count };
}

async function listen(t: ExecutionContext, server: Server, wanted: number): Promise<URL> {
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  // The address of a TCP server has this type.
  const { port } = server.address() as AddressInfo;
  return new URL(`http://127.0.0.1:${port}`);
}

function say(reply: Reply, response: ServerResponse): void {
  if (reply === 'silence') return;
  if (reply === 'break') {
    response.destroy();
    return;
  }
  const { status, json, text = JSON.stringify(json), headers } = reply;
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  response.end(text);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    // The client disconnected; the bytes received so far are kept.
  }
  return Buffer.concat(chunks);
}

/** Problem in the API format. */
export function problem(status: number, code: string, more: object = {}): Reply {
  return { status, json: { error: { code, message: `the message of ${code}`, hint: 'the hint', ...more } } };
}
