import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Clock } from '../../src/simulator/clock.ts';
import type { LinkModel } from '../../src/simulator/index.ts';
import { LinkedSocket } from '../../src/simulator/linked-socket.ts';
import { socketsRead } from '../support/sockets-read.ts';

/** Clock that advances only when a test calls `advance`. */
class StoppedClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly dueAt: number; readonly action: () => void }>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { dueAt: this.#now + delayMs, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Advances the time, runs the timers that are due and lets sockets deliver their data. */
  async advance(ms: number): Promise<void> {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.dueAt <= this.#now && this.#timers.delete(timer)) timer.action();
    }
    await socketsRead();
  }
}

export interface Linked {
  readonly device: LinkedSocket;
  readonly host: Socket;
  readonly clock: StoppedClock;
  readonly die: () => void;
  /** Resolves when the device's socket has received everything sent, or holds at least one window of unread data. */
  readonly arrived: (sentBytes: number) => Promise<void>;
  /** Resolves when the device's socket has seen the end of the connection. */
  readonly ended: () => Promise<void>;
}

/** Connects a host and a device over a link with a clock that the test advances. */
export async function linked(t: ExecutionContext, wanted: Partial<LinkModel>): Promise<Linked> {
  const life = new AbortController();
  const clock = new StoppedClock();
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [host] = (await once(server, 'connection')) as [Socket];
  host.setNoDelay(true);
  host.on('error', () => undefined);
  t.teardown(() => {
    life.abort();
    host.destroy();
    server.close();
  });
  const link = { rttMs: 0, windowBytes: 100, flashMsPerSector: 0, ...wanted };
  const arrived = async (sentBytes: number) => {
    while (socket.bytesRead < sentBytes && socket.readableLength < link.windowBytes) await turn();
    await socketsRead();
  };
  const ended = async () => {
    while (!socket.readableEnded) await turn();
  };
  const device = new LinkedSocket(socket, link, life.signal, clock);
  return { device, host, clock, die: () => life.abort(), arrived, ended };
}

/** Exposes the value of a resolved promise. */
export function watched<Value>(promise: Promise<Value>): { readonly value: Value | undefined } {
  const seen: { value: Value | undefined } = { value: undefined };
  promise.then(
    (value) => {
      seen.value = value;
    },
    () => undefined,
  );
  return seen;
}
