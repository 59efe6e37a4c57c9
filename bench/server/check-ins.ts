import { connect } from 'node:net';
import { type DeviceWords, deviceHeaders } from './device-request.ts';
import type { Peer } from './peers.ts';

const atOnce = 8;
const longestMs = 10_000;

/** Sends one request from each of many devices; `ab` can only simulate one device. */
export async function checkInOnce(peer: Peer, devices: readonly DeviceWords[], status: number): Promise<void> {
  const waiting = devices.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const words of waiting) {
        const received = await request(peer, words);
        if (received !== status) throw new Error(`${words.mac} received ${received}, not ${status}`);
      }
    }),
  );
}

/** @returns the status code */
function request({ url }: Peer, words: DeviceWords): Promise<number> {
  const { port, pathname } = new URL(url);
  const lines = Object.entries(deviceHeaders(words)).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), timeout: longestMs });
    let head = '';
    socket.on('data', (bytes) => {
      if (head.length < 16) head += bytes.toString('latin1', 0, 16);
    });
    socket.on('timeout', () => socket.destroy(new Error('no response')));
    socket.on('error', reject);
    socket.on('close', () => resolve(Number(head.split(' ')[1])));
    socket.write(`GET ${pathname} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n${lines.join('')}\r\n`);
  });
}
