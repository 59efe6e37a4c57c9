import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';

/** A request as it arrived, its body whole. */
export interface Arrived {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** break: the connection is cut without an answer. silence: there is none. */
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

/** A server that says what a test wants, for what no sound server does. */
export async function scriptedServer(
  t: ExecutionContext,
  reply: (request: Arrived, count: number) => Reply,
): Promise<ScriptedServer> {
  const arrived: Arrived[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const each = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
      arrived.push(each);
      say(reply(each, arrived.length), response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  // A server that listens on TCP has an address of that kind.
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}`), arrived };
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
    // The client went away; what came counts.
  }
  return Buffer.concat(chunks);
}

/** A problem as the API words it. */
export function problem(status: number, code: string, more: object = {}): Reply {
  return { status, json: { error: { code, message: `the message of ${code}`, hint: 'the hint', ...more } } };
}
