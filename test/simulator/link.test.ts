import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { linked, watched } from './stopped-link.ts';

for (const { rttMs, windowBytes, windows } of [
  { rttMs: 50, windowBytes: 5840, windows: 20 },
  { rttMs: 20, windowBytes: 2144, windows: 40 },
  { rttMs: 10, windowBytes: 11_584, windows: 60 },
]) {
  test(`delivers one window of ${windowBytes} bytes per round trip of ${rttMs} ms`, async (t) => {
    const { device, host, clock, arrived } = await linked(t, { rttMs, windowBytes });
    host.write(new Uint8Array(windowBytes * windows));
    for (let window = 0; window < windows; window++) {
      await arrived(windowBytes * windows);
      const read = watched(device.read(Number.POSITIVE_INFINITY));
      // The first window arrives after half a round trip, and each further window one round trip later.
      await clock.advance((window === 0 ? rttMs / 2 : rttMs) - 1);
      t.is(read.value, undefined);
      await clock.advance(1);
      t.is(read.value?.length, windowBytes);
    }
    t.is(clock.now(), rttMs / 2 + (windows - 1) * rttMs);
  });
}

test('receives one piece per round trip from a host that waits for each acknowledgment', async (t) => {
  const rttMs = 20;
  const pieceBytes = 1460;
  const { device, host, clock, arrived } = await linked(t, { rttMs, windowBytes: 5840 });
  let heard = '';
  host.on('data', (chunk) => {
    heard += chunk.toString();
  });
  for (let piece = 1; piece <= 20; piece++) {
    host.write(new Uint8Array(pieceBytes));
    await arrived(piece * pieceBytes);
    const read = watched(device.read(Number.POSITIVE_INFINITY));
    await clock.advance(rttMs / 2 - 1);
    t.is(read.value, undefined);
    await clock.advance(1);
    t.is(read.value?.length, pieceBytes);
    device.write('.');
    await clock.advance(rttMs / 2 - 1);
    t.is(heard.length, piece - 1);
    await clock.advance(1);
    while (heard.length < piece) await turn();
  }
  t.is(clock.now(), 20 * rttMs);
});

test('transfers data without advancing the clock when the round-trip time is zero', async (t) => {
  const { device, host, clock } = await linked(t, { windowBytes: 5840 });
  const sizeBytes = 1_000_000;
  host.write(new Uint8Array(sizeBytes));
  for (let count = 0; count < sizeBytes; ) {
    const piece = await device.read(sizeBytes - count);
    if (typeof piece === 'string') throw new Error(piece);
    count += piece.length;
    device.write(String(piece.length));
  }
  t.is(clock.now(), 0);
});

test('delivers the last bytes and the end of the connection half a round trip later', async (t) => {
  const { device, host, clock, ended } = await linked(t, { rttMs: 60 });
  host.end('abc');
  await ended();
  const bytes = watched(device.read(10));
  await clock.advance(29);
  t.is(bytes.value, undefined);
  t.false(device.hasEnded);
  await clock.advance(1);
  t.is(Buffer.from(bytes.value as Uint8Array).toString(), 'abc');
  t.is(await device.read(10), 'end');
  t.true(device.hasEnded);
});

test('ends a read when its timeout expires', async (t) => {
  const { device, clock } = await linked(t, {});
  const read = watched(device.read(10, 20));
  await clock.advance(19);
  t.is(read.value, undefined);
  await clock.advance(1);
  t.is(read.value, 'timeout');
});

test('keeps the order of writes and ends the connection after the last write', async (t) => {
  const { device, host, clock } = await linked(t, { rttMs: 30 });
  let text = '';
  host.on('data', (chunk) => {
    text += chunk.toString();
  });
  const ended = once(host, 'end');
  for (const word of ['a', 'b', 'c']) device.write(word);
  const finished = device.finish();
  device.write('too late');
  await clock.advance(15);
  await ended;
  host.end();
  await finished;
  t.is(text, 'abc');
});

test('rejects a pending read when the device is closed', async (t) => {
  const { device, die } = await linked(t, {});
  const read = device.read(10).catch((error: Error) => error.name);
  die();
  t.is(await read, 'AbortError');
});
