import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { DeviceContext } from './device-context.ts';

/** TCP port of a virtual device. The port stays bound until the virtual device is closed. */
export class TcpPort {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(device: DeviceContext, accept: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      // The port stays bound during a restart, so that no other program can bind it. Connections are reset until the restart is complete.
      if (device.isUp) accept(socket);
      else socket.resetAndDestroy();
    });
  }

  /** @param port 0 selects a free port */
  static async open(device: DeviceContext, port: number, accept: (socket: Socket) => void): Promise<TcpPort> {
    const opened = new TcpPort(device, accept);
    opened.#server.listen(port, device.host);
    await once(opened.#server, 'listening');
    return opened;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
