import { createServer, type Server, type Socket } from 'node:net';
import type { Esp } from './services.ts';

/** A TCP port on which a device listens, bound for as long as the virtual device is there. */
export class TcpPort {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(esp: Esp, accept: (socket: Socket) => void) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      // While the device restarts nobody is there, though the port stays bound so that no other program gets it.
      if (esp.isUp) accept(socket);
      else socket.resetAndDestroy();
    });
  }

  /** @param port 0 for any */
  static async open(esp: Esp, port: number, accept: (socket: Socket) => void): Promise<TcpPort> {
    const opened = new TcpPort(esp, accept);
    await new Promise<void>((resolve, reject) => {
      opened.#server.once('error', reject);
      opened.#server.listen(port, esp.host, resolve);
    });
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
