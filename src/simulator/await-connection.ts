import type { Socket } from 'node:net';
import type { DeviceContext } from './device-context.ts';

/**
 * Waits until an outgoing connection from the device is established.
 *
 * @param connectedEvent `connect`, or `secureConnect` for TLS
 * @returns undefined if the connection fails or times out, or if the device restarts
 */
export function awaitConnection(
  { restartSignal, timings }: DeviceContext,
  socket: Socket,
  connectedEvent: string,
): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const settle = (result: Socket | undefined) => {
      clearTimeout(timer);
      restartSignal.removeEventListener('abort', fail);
      socket.off('error', fail);
      if (result === undefined) socket.on('error', () => undefined).destroy();
      resolve(result);
    };
    const fail = () => settle(undefined);
    const timer = setTimeout(fail, timings.connectTimeoutMs);
    restartSignal.addEventListener('abort', fail, { once: true });
    socket.once('error', fail);
    socket.once(connectedEvent, () => settle(socket));
  });
}
