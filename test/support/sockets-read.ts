import { setImmediate as turn } from 'node:timers/promises';

/** The event loop reads sockets once per iteration, so a request and its response within this process need two or three. */
const rounds = 10;

/** Resolves when this process has read and responded to all data that was sent over loopback before the call. */
export async function socketsRead(): Promise<void> {
  for (let round = 0; round < rounds; round++) await turn();
}
