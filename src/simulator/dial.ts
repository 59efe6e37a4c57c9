import type { Socket } from 'node:net';
import type { Esp } from './services.ts';

/**
 * Waits for an outgoing connection of the device.
 *
 * @param connectedEvent `connect`, or `secureConnect` for TLS
 * @returns undefined if the connection fails, times out or the device restarts
 */
export function dialled({ life, timings }: Esp, socket: Socket, connectedEvent: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const give = (result: Socket | undefined) => {
      clearTimeout(timer);
      life.removeEventListener('abort', fail);
      socket.off('error', fail);
      if (result === undefined) socket.on('error', () => undefined).destroy();
      resolve(result);
    };
    const fail = () => give(undefined);
    const timer = setTimeout(fail, timings.dialTimeoutMs);
    life.addEventListener('abort', fail, { once: true });
    socket.once('error', fail);
    socket.once(connectedEvent, () => give(socket));
  });
}
