import { createSocket, type RemoteInfo } from 'node:dgram';
import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { LimitedMdnsSocket } from '../../src/delivery/limited-mdns-socket.ts';

const from: RemoteInfo = { address: '127.0.0.1', family: 'IPv4', port: 5353, size: 0 };
const mostWaiting = 1000;

/** Message that contains a number and has this size and these record counts. */
function message(number: number, { sizeBytes = 14, counts = [0, 1, 0, 0] } = {}): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  bytes.writeUInt16BE(number, 0);
  for (const [index, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + 2 * index);
  return bytes;
}

/** Opens the socket. `receive` delivers datagrams that the system read in one turn of the event loop. */
function open(t: ExecutionContext) {
  const udp = createSocket('udp4');
  const socket = new LimitedMdnsSocket(udp);
  const passed: number[] = [];
  socket.on('message', (datagram: Buffer) => passed.push(datagram.readUInt16BE(0)));
  let isClosed = false;
  const close = () => {
    if (!isClosed) socket.close();
    isClosed = true;
  };
  t.teardown(close);
  const receive = (...datagrams: readonly Buffer[]) => {
    for (const datagram of datagrams) udp.emit('message', datagram, from);
  };
  return { passed, receive, close };
}

async function turns(count: number): Promise<void> {
  for (let times = 0; times < count; times++) await turn();
}

const numbered = (count: number, first = 0) => Array.from({ length: count }, (_, index) => message(first + index));

test('delivers the messages that follow a dropped message', async (t) => {
  const { passed, receive } = open(t);
  const dropped = [
    Buffer.alloc(0),
    Buffer.alloc(11),
    message(9, { sizeBytes: 9001 }),
    message(9, { counts: [0, 129, 0, 0] }),
    message(9, { counts: [64, 64, 0, 1] }),
    message(9, { counts: [65_535, 65_535, 65_535, 65_535] }),
  ];
  receive(message(1), ...dropped, message(2, { sizeBytes: 9000 }), message(3, { counts: [32, 32, 32, 32] }));
  await turns(4);
  t.deepEqual(passed, [1, 2, 3]);
  receive(...dropped);
  await turns(2);
  receive(...dropped, message(4));
  await turns(2);
  t.deepEqual(passed, [1, 2, 3, 4]);
});

test('delivers one message in each turn of the event loop, so that timers and other sockets run in between', async (t) => {
  const { passed, receive } = open(t);
  receive(...numbered(50));
  t.is(passed.length, 0);
  for (let count = 1; count <= 50; count++) {
    await turn();
    t.is(passed.length, count);
  }
});

test('drops all but the first 1000 messages of a flood and accepts messages again afterward', async (t) => {
  const { passed, receive } = open(t);
  receive(...numbered(3000));
  await turns(mostWaiting + 2);
  t.deepEqual(
    passed,
    Array.from({ length: mostWaiting }, (_, index) => index),
  );
  receive(message(5000));
  await turns(2);
  t.is(passed.at(-1), 5000);
});

test('delivers a message that arrives during a flood after all earlier messages', async (t) => {
  const { passed, receive } = open(t);
  for (let round = 0; round < 3 * mostWaiting; round++) {
    receive(...numbered(3));
    await turn();
  }
  receive(message(7000));
  await turns(mostWaiting + 2);
  t.is(passed.at(-1), 7000);
  t.is(passed.length, 3 * mostWaiting + mostWaiting);
});

test('delivers no message after the socket is closed', async (t) => {
  const { passed, receive, close } = open(t);
  receive(...numbered(3));
  await turn();
  close();
  await turns(3);
  t.deepEqual(passed, [0]);
});
