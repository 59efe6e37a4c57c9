import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** TLS record as sent: the type in its header, and the number of bytes after the header. */
export interface TlsRecord {
  readonly type: number;
  readonly bytes: number;
}

export const handshake = 22;
export const applicationData = 23;

/** Proxy that records what the server sends. */
export async function tap(
  t: ExecutionContext,
  serverPort: number,
): Promise<{ readonly port: number; records(): TlsRecord[] }> {
  const seen: Buffer[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    server.on('data', (chunk: Buffer) => seen.push(chunk));
    client.pipe(server).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  // The type assertion is safe, because the address of a TCP server has this type.
  const { port } = proxy.address() as AddressInfo;
  return { port, records: () => recordsOf(Buffer.concat(seen)) };
}

function recordsOf(bytes: Buffer): TlsRecord[] {
  const records: TlsRecord[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 3);
    records.push({ type: bytes[at] ?? 0, bytes: length });
    at += 5 + length;
  }
  return records;
}
