import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import test from 'ava';
import { Mailbox } from '../../src/delivery/mailbox.ts';

const never = new AbortController().signal;

test('letters come in the order in which they were put', async (t) => {
  const mailbox = new Mailbox<number>();
  mailbox.put(1);
  mailbox.put(2);
  t.is(await mailbox.next(10, never), 1);
  t.is(await mailbox.next(10, never), 2);
  t.is(await mailbox.next(1, never), undefined);
});

test('a letter ends the waiting for it', async (t) => {
  const mailbox = new Mailbox<string>();
  const waiting = mailbox.next(60_000, never);
  mailbox.put('news');
  t.is(await waiting, 'news');
});

test('an abort ends the waiting with its reason, and lets nothing pass afterwards', async (t) => {
  const mailbox = new Mailbox<string>();
  const abort = new AbortController();
  const waiting = mailbox.next(60_000, abort.signal);
  abort.abort(new Error('enough'));
  await t.throwsAsync(waiting, { message: 'enough' });
  mailbox.put('late');
  await t.throwsAsync(mailbox.next(1, abort.signal), { message: 'enough' });
});

test('what is not wanted any more is thrown away', async (t) => {
  const mailbox = new Mailbox<number>();
  for (const letter of [1, 2, 3]) mailbox.put(letter);
  mailbox.drop((letter) => letter % 2 === 1);
  t.is(await mailbox.next(1, never), 2);
  t.is(await mailbox.next(1, never), undefined);
});

test('what arrived while the process stood still is in time, although its timer is over', async (t) => {
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.connect(socket.address().port, '127.0.0.1');
  await once(socket, 'connect');
  const mailbox = new Mailbox<string>();
  socket.on('message', (datagram) => mailbox.put(datagram.toString()));
  const waiting = mailbox.next(10, never);
  socket.send('news');
  // Nothing of this process runs meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);
  t.is(await waiting, 'news');
});
