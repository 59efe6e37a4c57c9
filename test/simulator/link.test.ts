import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { LinkModel } from '../../src/simulator/index.ts';
import { LinkedSocket } from '../../src/simulator/linked-socket.ts';

/** A connection whose one end is a device's. */
async function linked(
  t: ExecutionContext,
  link: LinkModel,
): Promise<{ device: LinkedSocket; host: Socket; die: () => void }> {
  const life = new AbortController();
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
  return { device: new LinkedSocket(socket, link, life.signal), host, die: () => life.abort() };
}

/** Reads so many bytes and acknowledges each piece, as ArduinoOTA does. */
async function receive(device: LinkedSocket, sizeBytes: number): Promise<void> {
  for (let count = 0; count < sizeBytes; ) {
    const piece = await device.read(sizeBytes - count);
    if (typeof piece === 'string') throw new Error(piece);
    count += piece.length;
    device.write(String(piece.length));
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

for (const { rttMs, windowBytes, windows } of [
  { rttMs: 50, windowBytes: 5840, windows: 20 },
  { rttMs: 20, windowBytes: 2144, windows: 40 },
  { rttMs: 10, windowBytes: 11_584, windows: 60 },
]) {
  test.serial(`a stream gets a window of ${windowBytes} bytes each round trip of ${rttMs} ms`, async (t) => {
    const { device, host } = await linked(t, { rttMs, windowBytes, flashMsPerSector: 0 });
    const sizeBytes = windowBytes * windows;
    host.write(new Uint8Array(sizeBytes));
    const took = await timed(() => receive(device, sizeBytes));
    // The first window is there after half a round trip, each further one a round trip later.
    const expected = rttMs / 2 + (windows - 1) * rttMs;
    t.true(took > expected * 0.99 && took < expected * 1.5 + 100, `${took} ms, and not about ${expected}`);
  });
}

test.serial('one who waits for each answer gets one piece a round trip', async (t) => {
  const rttMs = 20;
  const { device, host } = await linked(t, { rttMs, windowBytes: 5840, flashMsPerSector: 0 });
  const pieces = 20;
  const took = await timed(async () => {
    const received = receive(device, pieces * 1460);
    for (let piece = 0; piece < pieces; piece++) {
      host.write(new Uint8Array(1460));
      await once(host, 'data');
    }
    await received;
  });
  t.true(took > pieces * rttMs * 0.99 && took < pieces * rttMs * 4, `${took} ms`);
});

test.serial('without a round trip nothing waits', async (t) => {
  const { device, host } = await linked(t, { rttMs: 0, windowBytes: 5840, flashMsPerSector: 0 });
  host.write(new Uint8Array(1_000_000));
  t.true((await timed(() => receive(device, 1_000_000))) < 1000);
});

test.serial('the end of the connection comes behind what was sent, half a round trip later', async (t) => {
  const { device, host } = await linked(t, { rttMs: 60, windowBytes: 100, flashMsPerSector: 0 });
  const begun = performance.now();
  host.end('abc');
  t.is(Buffer.from((await device.read(10)) as Uint8Array).toString(), 'abc');
  t.is(await device.read(10), 'end');
  t.true(performance.now() - begun >= 29);
  t.true(device.hasEnded);
});

test.serial('a read ends after its time-out', async (t) => {
  const { device } = await linked(t, { rttMs: 0, windowBytes: 100, flashMsPerSector: 0 });
  t.is(await device.read(10, 20), 'timeout');
});

test.serial('writes keep their order, and the end comes behind them', async (t) => {
  const { device, host } = await linked(t, { rttMs: 30, windowBytes: 100, flashMsPerSector: 0 });
  let text = '';
  host.on('data', (chunk) => {
    text += chunk.toString();
  });
  const ended = once(host, 'end');
  for (const word of ['a', 'b', 'c']) device.write(word);
  const finished = device.finish();
  device.write('too late');
  await ended;
  host.end();
  await finished;
  t.is(text, 'abc');
});

test.serial('a waiting read ends with the life of the device', async (t) => {
  const { device, die } = await linked(t, { rttMs: 0, windowBytes: 100, flashMsPerSector: 0 });
  const read = device.read(10).catch((error: Error) => error.name);
  die();
  t.is(await read, 'AbortError');
});
