import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import test from 'ava';
import { EventQueue } from '../../src/delivery/event-queue.ts';

const never = new AbortController().signal;

test('returns messages in the order in which they arrived', async (t) => {
  const queue = new EventQueue<number>();
  queue.put(1);
  queue.put(2);
  t.is(await queue.next(10, never), 1);
  t.is(await queue.next(10, never), 2);
  t.is(await queue.next(1, never), undefined);
});

test('resolves a pending wait when a message arrives', async (t) => {
  const queue = new EventQueue<string>();
  const waiting = queue.next(60_000, never);
  queue.put('news');
  t.is(await waiting, 'news');
});

test('rejects pending and later waits with the abort reason', async (t) => {
  const queue = new EventQueue<string>();
  const abort = new AbortController();
  const waiting = queue.next(60_000, abort.signal);
  abort.abort(new Error('enough'));
  await t.throwsAsync(waiting, { message: 'enough' });
  queue.put('late');
  await t.throwsAsync(queue.next(1, abort.signal), { message: 'enough' });
});

test('removes the messages that match a predicate', async (t) => {
  const queue = new EventQueue<number>();
  for (const item of [1, 2, 3]) queue.put(item);
  queue.drop((item) => item % 2 === 1);
  t.is(await queue.next(1, never), 2);
  t.is(await queue.next(1, never), undefined);
});

test('returns a message that arrived while the event loop was blocked past the timeout', async (t) => {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.connect(socket.address().port, '127.0.0.1');
  await once(socket, 'connect');
  const queue = new EventQueue<string>();
  socket.on('message', (datagram) => queue.put(datagram.toString()));
  const waiting = queue.next(10, never);
  socket.send('news');
  // Blocks the event loop until the timeout has passed.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
  t.is(await waiting, 'news');
});
