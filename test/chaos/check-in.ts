import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { type DeviceWords, deviceHeaders } from '../../bench/server/device-request.ts';

/** Time after which a device gives up. */
const patienceMs = 10_000;

export interface CheckInResult {
  readonly startedAt: number;
  readonly endedAt: number;
  /** 0 without a response. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** MD5 of the body; undefined if its length is not the Content-Length. */
  readonly bodyMd5: string | undefined;
}

/** Sends an update check as a device does, and reads the response. `breaksOff` closes the connection at the first byte of the body. */
export function checkIn(port: number, path: string, words: DeviceWords, breaksOff = false): Promise<CheckInResult> {
  const lines = Object.entries(deviceHeaders(words)).map(([name, value]) => `${name}: ${value}\r\n`);
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    const timer = setTimeout(() => socket.destroy(), patienceMs);
    const chunks: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => {
      chunks.push(bytes);
      if (breaksOff && bytes.length > 1000) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ startedAt, endedAt: Date.now(), ...parsed(Buffer.concat(chunks)) });
    });
    socket.write(`GET ${path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n${lines.join('')}\r\n`);
  });
}

function parsed(bytes: Buffer): Pick<CheckInResult, 'status' | 'headers' | 'bodyMd5'> {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return { status: 0, headers: new Map(), bodyMd5: undefined };
  const [line = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const headers = new Map(
    lines.map((each): [string, string] => {
      const colon = each.indexOf(':');
      return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()];
    }),
  );
  const body = bytes.subarray(end + 4);
  const isWhole = Number(headers.get('content-length')) === body.length;
  const bodyMd5 = isWhole ? createHash('md5').update(body).digest('hex') : undefined;
  return { status: Number(line.split(' ')[1] ?? 0), headers, bodyMd5 };
}
