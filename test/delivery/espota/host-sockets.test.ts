import { createSocket, type Socket } from 'node:dgram';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import test from 'ava';
import { HostSockets } from '../../../src/delivery/espota/host-sockets.ts';
import { endlessMs } from '../../support/patience.ts';

const deviceAddress = '127.0.0.6';
const never = new AbortController().signal;

test('ignores datagrams that other hosts sent before the socket was connected', async (t) => {
  const [device, stranger] = [createSocket('udp4'), createSocket('udp4')];
  t.teardown(() => [device, stranger].map((socket) => socket.close()));
  device.bind(0, deviceAddress);
  stranger.bind(0, '127.0.0.7');
  await Promise.all([once(device, 'listening'), once(stranger, 'listening')]);

  let early = 0;
  /** Simulates datagrams that are already in the socket buffer, which the kernel keeps when the socket is connected. */
  const flood = (socket: Socket) => {
    const { address, port } = stranger.address();
    for (; early < 200; early++) {
      const datagram = Buffer.from(`ERR: ${'x'.repeat(1000)}`);
      socket.emit('message', datagram, { address, port, family: 'IPv4', size: datagram.length });
    }
  };
  const onSocket = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    socket.once('connect', () => flood(socket));
  };
  const sockets = channel('udp.socket');
  sockets.subscribe(onSocket);
  const opened = await HostSockets.open({ deviceAddress, devicePort: device.address().port });
  sockets.unsubscribe(onSocket);
  if (!(opened instanceof HostSockets)) return t.fail(opened.noRoute);
  t.teardown(() => opened.close());
  t.is(early, 200);

  opened.send('hello');
  const [, from] = await once(device, 'message');
  device.send('OK', from.port, from.address);
  t.deepEqual(await opened.events.next(endlessMs, never), { from: 'udp', response: { kind: 'ok' } });
});
