import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Starts an HTTP server that is not an ota-hooks server, and counts the requests it receives. */
export async function countingServer(t: ExecutionContext) {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.writeHead(404).end('a different server');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests: () => requests };
}
