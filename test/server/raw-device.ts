import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** Fields of a device request. Omitted fields have the values of a new device. */
export interface DeviceWords {
  readonly mac?: string;
  readonly mode?: string;
  readonly sketchMd5?: string;
  readonly version?: string;
  readonly sketchSize?: number;
  readonly freeSpace?: number;
  readonly chipSize?: number;
  readonly authorization?: string | undefined;
  /** Changes the spelling of header names. By default, the ESP8266 core's spelling is used. */
  readonly caseOf?: (name: string) => string;
  /** Headers to omit from the request. */
  readonly without?: readonly string[];
  readonly userAgent?: string;
  readonly more?: Readonly<Record<string, string>>;
}

export interface RawResponse {
  readonly status: number;
  /** Status line of the response. */
  readonly line: string;
  /** Headers in the order received, with lowercase names. A repeated header is listed once for each occurrence. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  header(name: string): string | undefined;
  readonly body: Buffer;
  /** MD5 of the response body. */
  readonly md5: string;
}

/** Builds the request that `ESP8266HTTPUpdate::handleUpdate` sends, byte for byte. The request uses HTTP/1.0 without keep-alive. */
export function updateRequest(path: string, words: DeviceWords = {}): string {
  const { caseOf = (name) => name, without = [] } = words;
  const headers: Record<string, string | undefined> = {
    Host: '127.0.0.1',
    'User-Agent': words.userAgent ?? 'ESP8266-http-Update',
    Connection: 'close',
    'x-ESP8266-Chip-ID': '11259375',
    'x-ESP8266-STA-MAC': words.mac ?? '18:FE:34:AA:BB:CC',
    'x-ESP8266-AP-MAC': '1A:FE:34:AA:BB:CC',
    'x-ESP8266-free-space': String(words.freeSpace ?? 1_671_168),
    'x-ESP8266-sketch-size': String(words.sketchSize ?? 373_940),
    'x-ESP8266-sketch-md5': words.sketchMd5 ?? 'a56f8ef78a0bebd812f62067daf1408a',
    'x-ESP8266-chip-size': String(words.chipSize ?? 4_194_304),
    'x-ESP8266-sdk-version': '2.2.2-dev(38a443e)',
    'x-ESP8266-mode': words.mode ?? 'sketch',
    'x-ESP8266-version': words.version,
    Authorization: words.authorization,
    ...words.more,
  };
  const lines = Object.entries(headers)
    .filter(([name, value]) => value !== undefined && !without.includes(name))
    .map(([name, value]) => `${caseOf(name)}: ${value}\r\n`);
  return `GET ${path} HTTP/1.0\r\n${lines.join('')}\r\n`;
}

export interface SendOptions {
  /** Called with the socket after the request has been written. */
  readonly during?: (socket: Socket) => void;
  readonly timeoutMs?: number;
  /** Source address of the request, such as 127.0.0.7. */
  readonly from?: string | undefined;
}

/** Sends bytes and reads until the server closes the connection. */
export function sendRaw(port: number, request: string | Uint8Array, options: SendOptions = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({
      host: '127.0.0.1',
      port,
      ...(options.from !== undefined && { localAddress: options.from }),
    });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error('no end of the answer'));
    }, options.timeoutMs ?? 100_000);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    socket.on('connect', () => {
      socket.write(request);
      options.during?.(socket);
    });
  });
}

/** Sends a device request and reads the response. */
export async function requestAsDevice(
  port: number,
  path: string,
  words: DeviceWords = {},
  from?: string,
): Promise<RawResponse> {
  return readResponse(await sendRaw(port, updateRequest(path, words), { from }));
}

export function readResponse(bytes: Buffer): RawResponse {
  const end = bytes.indexOf('\r\n\r\n');
  const [line = '', ...lines] = bytes.subarray(0, Math.max(0, end)).toString('latin1').split('\r\n');
  const headers = lines.map((text): [string, string] => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
  });
  const body = bytes.subarray(end + 4);
  return {
    status: Number(line.split(' ')[1] ?? 0),
    line,
    headers,
    header: (name) => headers.find(([found]) => found === name)?.[1],
    body,
    md5: createHash('md5').update(body).digest('hex'),
  };
}
