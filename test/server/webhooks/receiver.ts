import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';

/** Request that a receiver has logged. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Response of a receiver: a status, or no response. */
type Answer = { readonly status: number; readonly headers?: Record<string, string> } | 'hang';

/** Real HTTP server on loopback that logs the requests of webhooks. */
export interface Receiver {
  readonly url: string;
  readonly log: readonly Received[];
  /** Response to the next requests. */
  answer: Answer;
  /** Waits until the log has this many requests. */
  received(count: number): Promise<void>;
}

export async function startReceiver(t: ExecutionContext): Promise<Receiver> {
  const log: Received[] = [];
  let waiting: (() => void) | undefined;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const { answer } = receiver;
    log.push({ path: request.url ?? '', headers: request.headers, body });
    waiting?.();
    if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end('x');
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
