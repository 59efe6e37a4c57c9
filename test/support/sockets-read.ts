import { setImmediate as turn } from 'node:timers/promises';

/** Sockets are read once in a round of the event loop, so that a request and its response within this process need two or three. */
const rounds = 10;

/** Resolves when whatever was sent over loopback so far has been read by this process, and answered, however long that takes. */
export async function socketsRead(): Promise<void> {
  for (let round = 0; round < rounds; round++) await turn();
}
