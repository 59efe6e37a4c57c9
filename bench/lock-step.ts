import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

/**
 * The loop from `tools/espota.py`, for comparison: sends 1460 bytes, then waits for any response from the device, until the image is sent.
 */
export async function sendInLockStep(device: { host: string; otaPort: number }, image: Uint8Array): Promise<void> {
  const server = createServer({ noDelay: true }).listen(0, device.host);
  const udp = createSocket('udp4');
  try {
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const md5 = createHash('md5').update(image).digest('hex');
    udp.send(`0 ${address.port} ${image.length} ${md5}\n`, device.otaPort, device.host);
    // The `connection` event passes a Socket.
    const [connection] = (await once(server, 'connection')) as [Socket];
    await stream(connection, image);
  } finally {
    udp.close();
    server.close();
  }
}

async function stream(connection: Socket, image: Uint8Array): Promise<void> {
  const responses = connection[Symbol.asyncIterator]();
  for (let start = 0; start < image.length; start += 1460) {
    connection.write(image.subarray(start, start + 1460));
    await responses.next();
  }
  const verdict = await responses.next();
  if (!String(verdict.value).includes('OK')) throw new Error(`the device said ${verdict.value}`);
}
