import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on the loopback interface whose network can fail. */
export interface CutProxy {
  readonly port: number;
  /**
   * Cuts the network. `refuse` closes all connections and refuses new ones, as a stopped server does; `drop` loses all bytes, as a
   * broken cable does: connections stay open and silent.
   */
  cut(how?: 'refuse' | 'drop'): Promise<void>;
  restore(): Promise<void>;
  end(): Promise<void>;
}

/** Starts a proxy to a port of the loopback interface. */
export async function startCutProxy(target: number): Promise<CutProxy> {
  let state: 'open' | 'refuse' | 'drop' = 'open';
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const forward = (from: Socket, to: Socket) => {
    from.on('data', (bytes) => {
      if (state === 'drop') return;
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => state !== 'drop' && to.end());
    from.on('close', () => state !== 'drop' && to.destroy());
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    keep(client);
    if (state === 'drop') return;
    const upstream = connect({ host: '127.0.0.1', port: target, allowHalfOpen: true });
    keep(upstream);
    forward(client, upstream);
    forward(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const closeSockets = () => {
    // Resetting a socket that has sent its end would leave it open forever.
    for (const socket of sockets) socket.destroy();
  };
  const close = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    closeSockets();
    await closed;
  };
  return {
    port,
    async cut(how = 'refuse') {
      state = how;
      if (how === 'refuse') await close();
    },
    async restore() {
      // Bytes of the connections that were cut are lost, so these connections cannot continue.
      closeSockets();
      state = 'open';
      if (server.listening) return;
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    end: close,
  };
}
