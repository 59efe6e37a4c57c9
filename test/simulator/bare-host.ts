import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import type { VirtualDevice } from '../../src/simulator/index.ts';
import { patienceMs } from '../support/patience.ts';
import { socketsRead } from '../support/sockets-read.ts';

/** Host side of espota on plain sockets, for step-by-step tests. */
export interface BareHost {
  /** TCP port for the callback. */
  readonly port: number;
  send(text: string | Uint8Array): void;
  /** Resolves to the next datagram from the device. */
  heard(): Promise<string>;
  /** Waits until the device has read every datagram. True if no unread response has arrived. */
  isSilent(): Promise<boolean>;
  /** Resolves to the next connection that the device opens. */
  called(): Promise<Call>;
}

/** Host's end of a connection opened by the device. */
interface Call {
  readonly socket: Socket;
  /** Returns all text received so far. */
  readonly text: () => string;
  /** Waits until the received text matches. */
  reads(end: RegExp): Promise<string>;
  /** Waits until the device ends the connection. Resolves to all received text and how the connection ended. */
  ended(): Promise<{ readonly text: string; readonly how: 'in order' | 'by reset' }>;
}

export function md5(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

export async function bareHost(t: ExecutionContext, device: Pick<VirtualDevice, 'otaPort'>): Promise<BareHost> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const calls = queue<Call>();
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    calls.put(callOn(socket));
  });
  const udp = createSocket('udp4');
  const datagrams = queue<string>();
  const sending: Promise<void>[] = [];
  udp.on('message', (message) => datagrams.put(message.toString('latin1')));
  t.teardown(() => {
    server.close();
    udp.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port,
    send: (text) => {
      sending.push(new Promise((sent) => udp.send(text, device.otaPort, '127.0.0.1', () => sent())));
    },
    heard: () => datagrams.take('a datagram'),
    isSilent: async () => {
      await Promise.all(sending);
      await socketsRead();
      return datagrams.isEmpty;
    },
    called: () => calls.take('a call'),
  };
}

/** Runs a whole upload without a password: invites the device, sends the image in one piece and reads until the connection ends. */
export async function bareUpload(
  t: ExecutionContext,
  device: Pick<VirtualDevice, 'otaPort'>,
  bytes: Uint8Array,
  command = 0,
) {
  const host = await bareHost(t, device);
  host.send(`${command} ${host.port} ${bytes.length} ${md5(bytes)}\n`);
  const datagram = await host.heard();
  if (datagram !== 'OK') return { datagram, text: '', how: undefined };
  const call = await host.called();
  call.socket.write(bytes);
  return { datagram, ...(await call.ended()) };
}

/** Waits for the next boot or bricked event. */
export function afterwards(device: VirtualDevice) {
  return device.nextEvent(({ event }) => event === 'boot' || event === 'bricked', patienceMs);
}

function callOn(socket: Socket): Call {
  let text = '';
  let how: 'in order' | 'by reset' | undefined;
  const changed = new Set<() => void>();
  const change = () => {
    for (const look of [...changed]) look();
  };
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    change();
  });
  socket.on('end', () => {
    how ??= 'in order';
    socket.end();
    change();
  });
  socket.on('error', () => {
    how = 'by reset';
    change();
  });
  const until = (what: string, isDone: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what} after "${text}"`)), patienceMs);
      const look = () => {
        if (!isDone()) return;
        clearTimeout(timer);
        changed.delete(look);
        resolve();
      };
      changed.add(look);
      look();
    });
  return {
    socket,
    text: () => text,
    async reads(end) {
      await until(String(end), () => end.test(text));
      return text;
    },
    async ended() {
      await until('end', () => how !== undefined);
      return { text, how: how ?? 'in order' };
    },
  };
}

function queue<Item>() {
  const items: Item[] = [];
  const waiting: ((item: Item) => void)[] = [];
  return {
    put(item: Item) {
      const next = waiting.shift();
      if (next === undefined) items.push(item);
      else next(item);
    },
    get isEmpty() {
      return items.length === 0;
    },
    take(what: string): Promise<Item> {
      const item = items.shift();
      if (item !== undefined) return Promise.resolve(item);
      return new Promise((resolve, reject) => {
        const take = (taken: Item) => {
          clearTimeout(timer);
          resolve(taken);
        };
        const timer = setTimeout(() => {
          waiting.splice(waiting.indexOf(take), 1);
          reject(new Error(`${what} did not come within ${patienceMs} ms`));
        }, patienceMs);
        waiting.push(take);
      });
    },
  };
}
