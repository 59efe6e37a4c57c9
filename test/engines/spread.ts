import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Forwards connections to several servers in turn. */
export interface Spread {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens a port that forwards connections to these ports in turn. The servers see the address of the client, if it is a loopback address. */
export async function startSpread(ports: readonly number[]): Promise<Spread> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const port = ports[count++ % ports.length] ?? 0;
    const localAddress = client.remoteAddress?.replace('::ffff:', '');
    const upstream = connect({ host: '127.0.0.1', port, allowHalfOpen: true, ...(localAddress && { localAddress }) });
    forward(client, upstream);
    forward(upstream, client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    upstream.once('connect', () => client.resume());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Forwards bytes, the end of the bytes, and a reset. */
function forward(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on('error', () => to.resetAndDestroy());
  from.on('close', () => to.destroySoon());
}
