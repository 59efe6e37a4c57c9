import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { ExecutionContext } from 'ava';

/** Request that a receiver has logged. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Response of a receiver: a status, no response, or the status 200 and a body that does not end. */
type Answer = { readonly status: number; readonly headers?: Record<string, string> } | 'hang' | 'endless';

/** Real HTTP server on loopback that logs the requests of webhooks. */
export interface Receiver {
  readonly url: string;
  readonly log: readonly Received[];
  /** Response to the next requests. */
  answer: Answer;
  /** Waits until the log has this many requests. */
  received(count: number): Promise<void>;
}

async function* endless() {
  for (;;) yield Buffer.alloc(16 * 1024);
}

export async function startReceiver(t: ExecutionContext): Promise<Receiver> {
  const log: Received[] = [];
  let waiting: (() => void) | undefined;
  const server = createServer(async (request, response) => {
    // The server may have ended the attempt.
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return;
    const { answer } = receiver;
    log.push({ path: request.url ?? '', headers: request.headers, body });
    waiting?.();
    if (answer === 'endless') await pipeline(endless, response.writeHead(200)).catch(() => undefined);
    else if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end('x');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook/of-the-hall`,
    log,
    answer: { status: 204 },
    async received(count) {
      while (log.length < count) await new Promise<void>((resolve) => (waiting = resolve));
    },
  };
  return receiver;
}

/** Types of the events in a log, in the order received. */
export function typesIn(log: readonly Received[]): readonly string[] {
  return log.map(({ body }) => (JSON.parse(body) as { type: string }).type);
}

/** Signature of a request as a receiver computes it from the specification of Standard Webhooks. */
export function expectedSignature(secret: string, { headers, body }: Received): string {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.');
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}
