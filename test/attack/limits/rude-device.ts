import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** Test device. `takenBytes`: bytes that the system accepted from the device, including those in its buffers. */
export interface RudeDevice {
  readonly host: string;
  readonly port: number;
  readonly takenBytes: () => number;
  readonly connections: () => number;
}

/** Starts a web server that handles the two requests of an upload with these handlers. A handler runs when its request begins to arrive. */
export async function rudeWebServer(
  t: ExecutionContext,
  onPage: (socket: Socket) => void,
  onUpdate: (socket: Socket) => void,
): Promise<RudeDevice> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => (bytes.toString('latin1').startsWith('GET') ? onPage : onUpdate)(socket));
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port, ...countersOf(sockets) };
}

/** Sender of an invitation. */
export interface Inviter {
  readonly udp: UdpSocket;
  readonly say: (text: string) => void;
  readonly udpPort: number;
  /** Connects to the sender, as a device does after its `OK`. */
  readonly callBack: () => Socket;
}

/** Starts an espota device on its own address. The handler runs for each datagram, with the text of the datagram. */
export async function rudeEspotaDevice(
  t: ExecutionContext,
  onDatagram: (inviter: Inviter, text: string) => void,
): Promise<RudeDevice> {
  const host = '127.0.0.5';
  const sockets: Socket[] = [];
  const udp = createSocket('udp4');
  let hasEnded = false;
  let tcpPort = 0;
  udp.on('error', () => undefined);
  udp.on('message', (bytes, from) => {
    const text = bytes.toString('latin1');
    // An invitation is "command port size md5"; the response to a challenge has other fields and is from the same sender.
    if (/^(0|100) /.test(text)) tcpPort = Number(text.split(' ')[1]);
    const say = (words: string) => {
      if (!hasEnded) udp.send(words, from.port, from.address, () => undefined);
    };
    const callBack = () => {
      const socket = connect({ port: tcpPort, host: from.address, localAddress: host, noDelay: true });
      socket.on('error', () => undefined);
      sockets.push(socket);
      return socket;
    };
    onDatagram({ udp, say, udpPort: from.port, callBack }, text);
  });
  udp.bind(0, host);
  await once(udp, 'listening');
  t.teardown(() => {
    hasEnded = true;
    udp.close();
    for (const socket of sockets) socket.destroy();
  });
  return { host, port: udp.address().port, ...countersOf(sockets) };
}

function countersOf(sockets: readonly Socket[]): Pick<RudeDevice, 'takenBytes' | 'connections'> {
  const taken = ({ bytesWritten, writableLength }: Socket) => bytesWritten - writableLength;
  return {
    takenBytes: () => sockets.reduce((sum, socket) => sum + taken(socket), 0),
    connections: () => sockets.length,
  };
}

/** Writes a text and then repeats a second text: as fast as the peer reads, or at an interval. */
export function endlessly(start: string, again: string, everyMs?: number): (socket: Socket) => void {
  return (socket) => {
    socket.write(start);
    const send = () => {
      if (socket.destroyed) return;
      if (everyMs !== undefined) setTimeout(() => socket.write(again, send), everyMs);
      else socket.write(again, () => setImmediate(send));
    };
    send();
  };
}
