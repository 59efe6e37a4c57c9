import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Server of an attacker: acts as a device with a web updater or as an update server, and records the credentials that it receives. */
export interface Listener {
  readonly port: number;
  readonly origin: string;
  /** Distinct decoded credentials from Authorization headers: `user:password` or a bearer token. */
  readonly heard: () => readonly string[];
  readonly requests: () => number;
}

export async function startListener(t: ExecutionContext): Promise<Listener> {
  const headers: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    headers.push(request.headers.authorization);
    request
      .resume()
      .on('end', () => response.writeHead(200, { connection: 'close' }).end('Update Success! Rebooting...'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    heard: () => [...new Set(headers.flatMap((header) => (header === undefined ? [] : [decode(header)])))],
    requests: () => headers.length,
  };
}

function decode(header: string): string {
  const [scheme = '', credentials = ''] = header.split(' ');
  return scheme === 'Basic' ? Buffer.from(credentials, 'base64').toString() : credentials;
}
