import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { ExecutionContext } from 'ava';
import { freePort } from './free-port.ts';

/** A port that refuses connections until the test ends: it is the local port of a client, so no other program can listen on it. */
export async function refusingPort(t: ExecutionContext): Promise<number> {
  return (await releasablePort(t)).port;
}

/** A port that refuses connections until it is released; then the test can listen on it. */
export async function releasablePort(
  t: ExecutionContext,
): Promise<{ readonly port: number; release(): Promise<void> }> {
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // The address of a TCP server is an AddressInfo.
  const { port: serverPort } = server.address() as AddressInfo;
  // Outside the ephemeral ports: after the release, the system would give such a port to the next connection of any program.
  const client = connect({ host: '127.0.0.1', port: serverPort, localPort: await freePort() });
  await once(client, 'connect');
  const port = client.localPort;
  if (port === undefined) throw new Error('the client has no port');
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  return {
    port,
    async release() {
      // A reset leaves no connection on the port in the TIME_WAIT state.
      client.resetAndDestroy();
      await once(client, 'close');
    },
  };
}
