import type { Socket } from 'node:net';
import fc from 'fast-check';

/** Random requests to the device protocol and the API. Most requests are malformed. */
export function hostileRequests(token: string): fc.Arbitrary<Buffer> {
  return fc.oneof(
    { weight: 5, arbitrary: composed(token) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)) },
  );
}

function composed(token: string): fc.Arbitrary<Buffer> {
  return fc
    .record({ method, path, version, headers: fc.array(header(token), { maxLength: 20 }), body, isWhole: fc.nat(20) })
    .map(({ method, path, version, headers, body, isWhole }) => {
      const isFramed = body === '' || isWhole === 1 || headers.some(([name]) => /^(content-l|transfer-e)/i.test(name));
      const all = isFramed ? headers : [...headers, ['Content-Length', String(Buffer.byteLength(body))]];
      const head = `${method} ${path} ${version}\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
      const bytes = Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]);
      return isWhole === 0 ? bytes.subarray(0, bytes.length >> 1) : bytes;
    });
}

const method = fc.oneof(
  { weight: 12, arbitrary: fc.constant('GET') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'get'),
  },
);

const word = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.constantFrom(
      'door',
      'door',
      'window',
      'stable',
      'beta',
      '1.0',
      '@stable',
      'door.bin',
      'door.bin.signed',
    ),
  },
  {
    weight: 8,
    arbitrary: fc.constantFrom('server', 'releases', 'devices', 'tokens', 'uploads', 'channels', 'audit', 'yank'),
  },
  {
    weight: 6,
    arbitrary: fc.constantFrom('..', '.', '%2e%2e', '%00', '%2f', '%', '%zz', '%c0%ae', '%ff', '\\', '__proto__', ''),
  },
  {
    weight: 4,
    arbitrary: fc.string({ maxLength: 12 }).map((text) => encodeURIComponent(text.replace(/[\ud800-\udfff]/g, '?'))),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 8 }).map((text) => text.replace(/[\s]/g, '')) },
);
const root = fc.constantFrom(
  '/update/',
  '/files/',
  '/esp/update/arduino.php',
  '/api/v1/',
  '/api/v1/projects/',
  '/',
  '//',
);
const path = fc
  .record({
    root,
    words: fc.array(word, { maxLength: 5 }),
    query: fc.option(fc.constantFrom('?', '?limit=3', '?a=%zz&limit=-1')),
  })
  .map(({ root, words, query }) => `${root}${words.join('/')}${query ?? ''}`);
const version = fc.oneof(
  { weight: 20, arbitrary: fc.constant('HTTP/1.0') },
  { weight: 6, arbitrary: fc.constant('HTTP/1.1\r\nHost: x') },
  { weight: 1, arbitrary: fc.constantFrom('HTTP/1.1', 'HTTP/2.0', 'HTTP/9', '') },
);

const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':'));
const odd = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, ' ')),
  fc.constantFrom('-1', '99999999999999999999', 'NaN', '1e9', '0x10', 'null', '\x7f', '\xff', ',', '"', "' OR 1=1 --"),
  fc.constantFrom('a\r\nx-MD5: 0', 'x'.repeat(3000)),
);

function header(token: string): fc.Arbitrary<readonly [string, string]> {
  const of = (name: string, value: fc.Arbitrary<string>) => value.map((text) => [name, text] as const);
  const size = fc.nat(4_194_304).map(String);
  const known = fc.oneof(
    of('User-Agent', fc.constant('ESP8266-http-Update')),
    of('x-ESP8266-STA-MAC', mac),
    of('x-ESP8266-AP-MAC', mac),
    of('x-ESP8266-free-space', size),
    of('x-ESP8266-sketch-size', size),
    of('x-ESP8266-chip-size', size),
    of('x-ESP8266-sketch-md5', fc.constant('0123456789abcdef0123456789abcdef')),
    of('x-ESP8266-sdk-version', fc.constant('2.2.2')),
    of('x-ESP8266-mode', fc.constantFrom('sketch', 'spiffs', 'version', 'flash')),
    of('x-ESP8266-version', fc.constantFrom('1.0', '2.0', '')),
    of('Authorization', fc.constantFrom(`Bearer ${token}`, `Bearer ${token}`, 'Basic YTpi', 'Bearer x', 'Basic !!')),
    of('Upload-Offset', fc.constantFrom('0', '5', 'x')),
    of('Upload-Length', fc.constantFrom('0', '5', '99999999999')),
    of('X-Forwarded-For', fc.constantFrom('10.0.0.1', '::1, x')),
  );
  const framing = fc.constantFrom<readonly [string, string]>(
    ['Content-Length', '0'],
    ['Content-Length', '2'],
    ['Content-Length', '1000'],
    ['Transfer-Encoding', 'chunked'],
    ['Transfer-Encoding', 'gzip, chunked'],
    ['Expect', '100-continue'],
  );
  const name = fc.oneof(
    known.map(([each]) => each),
    fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 12 }),
  );
  return fc.oneof(
    { weight: 90, arbitrary: known },
    { weight: 4, arbitrary: framing },
    { weight: 1, arbitrary: fc.tuple(name, odd) },
  );
}

const body = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  fc.constantFrom(
    '{}',
    '[]',
    'null',
    '{"version":"1.0","manifest":"{}"}',
    '5\r\nhello\r\n0\r\n\r\n',
    '{"roles":["admin"]}',
  ),
  fc.json({ maxDepth: 3 }),
  fc.string({ maxLength: 50 }),
);

/** Complete device request. Some header values may be invalid. */
export const forgedDevice: fc.Arbitrary<string> = fc
  .record({
    mac,
    md5: fc.oneof(fc.constant('0'.repeat(32)), odd),
    version: odd,
    size: fc.oneof(fc.nat(5_000_000).map(String), odd),
  })
  .map(
    ({ mac, md5, version, size }) =>
      `GET /update/door HTTP/1.0\r\nUser-Agent: ESP8266-http-Update\r\nx-ESP8266-STA-MAC: ${mac}\r\nx-ESP8266-AP-MAC: ${mac}\r\n` +
      `x-ESP8266-free-space: ${size}\r\nx-ESP8266-sketch-size: ${size}\r\nx-ESP8266-sketch-md5: ${md5}\r\n` +
      `x-ESP8266-chip-size: 4194304\r\nx-ESP8266-sdk-version: 2\r\nx-ESP8266-mode: sketch\r\nx-ESP8266-version: ${version}\r\n\r\n`,
  );

/** Ends the connection immediately unless the request is a complete GET, because the server waits for the rest of an incomplete request. */
export function endIfBroken(request: Buffer): (socket: Socket) => void {
  const isWhole = /^GET .*\r\n\r\n$/s.test(request.toString('latin1'));
  return (socket) => {
    if (isWhole) socket.once('data', () => socket.end());
    else socket.end();
  };
}
