import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { ExecutionContext } from 'ava';

/** A port that refuses connections until the test ends: it is the local port of a client, so no other program can listen on it. */
export async function refusingPort(t: ExecutionContext): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server has an AddressInfo.
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  if (client.localPort === undefined) throw new Error('the client has no port');
  return client.localPort;
}
