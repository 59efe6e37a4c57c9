import { createHash } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** The host's side of espota with nothing but sockets: what the device says is given back as it came. */
export interface BareUpload {
  /** What came over UDP, in order. */
  readonly datagrams: readonly string[];
  /** All that came over TCP, until the end. */
  readonly stream: string;
}

export function md5(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Invites, waits for `OK`, sends all bytes at once, and reads until the device ends the connection. */
export async function bareUpload(otaPort: number, bytes: Uint8Array): Promise<BareUpload> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const udp = createSocket('udp4');
  const datagrams: string[] = [];
  udp.on('message', (message) => datagrams.push(message.toString()));
  try {
    udp.send(`0 ${port} ${bytes.length} ${md5(bytes)}\n`, otaPort, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    let stream = '';
    socket.on('data', (chunk) => {
      stream += chunk.toString();
    });
    socket.write(bytes);
    await once(socket, 'end');
    socket.end();
    return { datagrams, stream };
  } finally {
    server.close();
    await closeUdp(udp);
  }
}

async function closeUdp(udp: UdpSocket): Promise<void> {
  await new Promise<void>((resolve) => udp.close(() => resolve()));
}
