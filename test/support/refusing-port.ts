import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { ExecutionContext } from 'ava';

/** A port that refuses connections until the test ends: a client's end of a connection has it, so no other program can listen on it. */
export async function refusingPort(t: ExecutionContext): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on TCP has an address of that kind.
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  if (client.localPort === undefined) throw new Error('the client has no port');
  return client.localPort;
}
