import { connect, type Socket } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { until } from '../support/until.ts';
import { sketchMd5Of, testBuild, testSigner } from './builds.ts';
import { readResponse, requestAsDevice, sendRaw, updateRequest } from './raw-device.ts';
import { endIfBroken, forgedDevice, hostileRequests } from './requests.ts';
import { startTestServer, type TestServer } from './running-server.ts';

const signer = testSigner();
const build = await testBuild({ version: '1.0', project: 'door', signer });
const generous = { failuresPerAddress: 1_000_000, newDevicesPerNetwork: 1_000_000 };

/** True if the server still responds correctly. */
async function isSound(server: TestServer): Promise<boolean> {
  const runs = { sketchMd5: sketchMd5Of(build.manifest), mac: '18:FE:34:FF:FF:FF' };
  return (await requestAsDevice(server.port, '/update/door', runs)).status === 304;
}

// The test in test/e2e/server/fuzz.test.ts sends 100,000 malformed requests.
test('responds to 260 malformed requests without a 5xx status', async (t) => {
  const server = await startTestServer(t, { limits: generous });
  await server.publish(build);
  const { body } = await server.api('POST', '/tokens', { roles: ['publish'], name: 'fuzz' });
  const requests = fc.sample(hostileRequests(String(body['token'])), { numRuns: 200, seed: 1 });
  const forged = fc.sample(forgedDevice, { numRuns: 60, seed: 2 });
  const all = [...requests, ...forged.map((text) => Buffer.from(text, 'latin1'))];
  const statuses = new Map<number, number>();
  const worker = async () => {
    for (let request = all.pop(); request !== undefined; request = all.pop()) {
      const response = readResponse(await sendRaw(server.port, request, { during: endIfBroken(request) }));
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      if (response.status >= 500) t.fail(`${response.line} to ${JSON.stringify(request.toString('latin1'))}`);
      const lines = response.headers.map(([name]) => name);
      if (lines.filter((name) => name === 'x-md5').length > 1) t.fail('a header was slipped in');
      if (response.header('x-md5') !== undefined && response.body.length > 0)
        t.is(response.header('x-md5'), response.md5);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  t.is(
    server.parts.counters.failures,
    0,
    JSON.stringify(server.logged.filter(({ level }) => level === 'error').slice(0, 2)),
  );
  t.true(await isSound(server));
  t.log(Object.fromEntries(statuses));
});

test('does not serve unpublished files through path traversal', async (t) => {
  const server = await startTestServer(t, { limits: generous });
  await server.publish(build);
  const tricks = [
    '../ota.db',
    '..%2f..%2fota.db',
    '%2e%2e/%2e%2e/ota.db',
    '/etc/passwd',
    '..\\ota.db',
    'door.bin%00',
    '%00',
    '.',
    '..',
    '....//....//ota.db',
    '%252e%252e%252fota.db',
    '%c0%ae%c0%ae/ota.db',
    '\0',
    'door.bin\0.html',
  ];
  const prefixes = [
    '/files/door/1.0/',
    '/files/door/',
    '/files/',
    '/update/',
    '/update/door/',
    '/',
    '/api/v1/',
    '/assets/',
  ];
  prefixes.push('/api/v1/projects/', '/api/v1/uploads/', 'http://127.0.0.1/files/door/1.0/', 'file:///', '\\');
  for (const path of prefixes.flatMap((prefix) => tricks.map((trick) => prefix + trick))) {
    const response = await requestAsDevice(server.port, path, { userAgent: 'x' });
    const isLogin = response.status === 303 && response.headers.some(([, value]) => value === '/login?next=%2F');
    t.true(isLogin || [400, 401, 403, 404, 422].includes(response.status), `${path}: ${response.line}`);
    t.notRegex(response.body.toString('latin1'), /SQLite|root:/);
  }
});

test('prevents header injection through device headers, paths and manifests', async (t) => {
  const server = await startTestServer(t, { limits: generous });
  const odd = await testBuild({ version: '9.9', project: 'door', signer });
  const { image, artifacts } = odd.manifest;
  const publishAs = (name: string) => {
    const rename = (file: string) => file.replace('door', name);
    return server.publish({
      manifest: {
        ...odd.manifest,
        board: name,
        image: { ...image, file: rename(image.file) },
        artifacts: artifacts.map((artifact) => ({ ...artifact, file: rename(artifact.file) })),
      },
      files: new Map([...odd.files].map(([file, bytes]) => [rename(file), bytes])),
    });
  };
  t.is((await publishAs('door\r\nx-MD5: 0\r\n\r\n"é')).status, 422, 'names contain no control characters');
  t.is((await publishAs('door; x-MD5: 0 "é')).status, 201);
  const response = await requestAsDevice(server.port, '/update/door');
  t.is(response.status, 200);
  t.deepEqual(response.headers.map(([name]) => name).sort(), [
    'cache-control',
    'connection',
    'content-disposition',
    'content-length',
    'content-type',
    'date',
    'x-md5',
    'x-version',
  ]);
  t.is(response.header('x-md5'), response.md5);
  t.regex(response.header('content-disposition') ?? '', /^attachment; filename=[\w.+-]+$/);

  // If no release is safe, the response to a version check contains the version that the device reported.
  const full = { mode: 'version', freeSpace: 0, sketchSize: 1_000_000 };
  const told = await requestAsDevice(server.port, '/update/door', { ...full, version: '1\t\xe9"' });
  // The tab and the two UTF-8 bytes of é are replaced with underscores.
  t.is(told.header('x-version'), '1___"');
  for (const version of ['1\r\nx-MD5: 0', '1\nx-MD5: 0', '1\rx-MD5: 0', '1\0']) {
    const { status, headers } = await requestAsDevice(server.port, '/update/door', { ...full, version });
    t.true([200, 400].includes(status), JSON.stringify(version));
    t.false(headers.some(([name]) => name === 'x-md5'));
  }
  for (const path of [
    '/update/door%0d%0ax-MD5:%200',
    '/login?next=%0d%0aSet-Cookie:%20a=b',
    '/%0d%0aSet-Cookie:%20a=b',
  ]) {
    const { headers } = await requestAsDevice(server.port, path);
    t.false(
      headers.some(([name]) => ['x-md5', 'set-cookie'].includes(name)),
      path,
    );
  }
});

test('responds to malformed form bodies without a 5xx status, and creates no token', async (t) => {
  const server = await startTestServer(t, { limits: generous });
  await server.publish(build);
  const part = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const bodies = [
    '--b--\r\n',
    '--b',
    '\r\n'.repeat(500),
    part('token', 'x').repeat(100),
    `${part('token', 'x')}--b--\r\n`,
    part('__proto__', 'x'),
    part('token"; filename="../../x', '\0'),
    '--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--',
    `--b\r\n${'X: y\r\n'.repeat(1000)}\r\n--b--`,
    '--other--\r\n',
  ];
  const types = [
    'multipart/form-data; boundary=b',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/mixed; boundary=b',
  ];
  const places = [
    'POST /login',
    'POST /logout',
    'POST /api/v1/tokens',
    'PUT /api/v1/projects/door',
    'POST /api/v1/projects/door/releases',
    'GET /update/door',
  ];
  for (const place of places) {
    for (const type of types) {
      for (const body of bodies) {
        const headers = [
          ...['Host: x', 'Origin: http://x', 'Sec-Fetch-Site: same-origin', `Authorization: Bearer ${server.token}`],
          ...[`Content-Type: ${type}`, `Content-Length: ${body.length}`, 'Connection: close'],
        ];
        const { status, line } = readResponse(
          await sendRaw(server.port, `${place} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`),
        );
        t.true(status === 303 || (status >= 400 && status < 500), `${place}, ${type}: ${line}`);
      }
    }
  }
  t.is(
    server.parts.counters.failures,
    0,
    JSON.stringify(server.logged.filter(({ level }) => level === 'error').slice(0, 2)),
  );
  t.like((await server.api('GET', '/tokens')).body, { tokens: [{ name: 'first admin' }] }, 'none was made');
  t.true(await isSound(server));
});

test('limits the number of records stored for fake devices, and still serves an enrolled device', async (t) => {
  const limits = { ...generous, mostDevices: 20, newDevicesPerNetwork: 100 };
  const server = await startTestServer(t, { limits });
  await server.publish(build);
  const mac = '18:FE:34:00:00:01';
  await server.api('PUT', `/projects/door/devices/${mac}`, { name: 'real' });
  const macs = Array.from({ length: 200 }, (_, index) => `02:00:00:00:${hex(index >> 8)}:${hex(index)}`);
  const worker = async () => {
    for (let each = macs.pop(); each !== undefined; each = macs.pop()) {
      const { status } = await requestAsDevice(server.port, '/update/door', {
        mac: each,
        freeSpace: 0,
        sketchSize: 1_000_000,
      });
      t.true([304, 503].includes(status), String(status));
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  t.true(
    (await server.parts.store.devices.count('door')) <= 21,
    'twenty, and the enrolled device, which does not count',
  );
  t.true(server.parts.counters.overCapacity >= 50, 'the address used up what it may');
  t.is((await requestAsDevice(server.port, '/update/door', { mac })).status, 200);
});

test('returns 431 for oversized headers', async (t) => {
  const server = await startTestServer(t);
  await server.publish(build);
  const long = await sendRaw(server.port, `GET /update/door HTTP/1.0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
  t.is(readResponse(long).status, 431);
  const many = await sendRaw(server.port, `GET /update/door HTTP/1.0\r\n${'X: y\r\n'.repeat(5000)}\r\n`);
  t.is(readResponse(many).status, 431);
});

test('closes connections that send headers slowly, and continues to serve devices', async (t) => {
  const server = await startTestServer(t, { limits: { mostConnectionsPerAddress: 60 }, headersWithinMs: 1500 });
  await server.publish(build);
  const slow = Array.from({ length: 50 }, () => connect({ host: '127.0.0.1', port: server.port }));
  const closed = slow.map(
    (socket) =>
      new Promise<void>((resolve) => {
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
        socket.write('GET /update/door HTTP/1.0\r\nX: ');
        const drip = setInterval(() => socket.write('y'), 200);
        socket.on('close', () => clearInterval(drip));
      }),
  );
  t.true(await isSound(server));
  await Promise.all(closed);
  t.true(await isSound(server));
});

test('closes a download that the client does not read', async (t) => {
  const server = await startTestServer(t, { stallMs: 500 });
  // The build does not fit in the socket buffers of client and server.
  const large = await testBuild({ version: '2.0', signer, seed: 2, sizeBytes: 3_000_000, compression: 'none' });
  await server.publish(large);
  const roomy = { freeSpace: 8_000_000 - 376_832, chipSize: 16_777_216 };
  const requests = [
    updateRequest('/update/door', roomy),
    updateRequest('/files/door/2.0/door.bin.signed', { without: ['x-ESP8266-STA-MAC'] }),
  ];
  const sockets = requests.map((request) => {
    const socket = connect({ host: '127.0.0.1', port: server.port });
    socket.on('error', () => undefined);
    socket.write(request);
    return socket.pause();
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  await until(() => (server.parts.counters.responses.get(200) ?? 0) >= 2);
  // With active downloads, stopping the server would take a minute.
  const began = performance.now();
  await server.close(60_000);
  t.true(performance.now() - began < 30_000);
  t.is(server.parts.counters.downloadsInterrupted, 1);
});

test('limits the connections from one address', async (t) => {
  const first = await startTestServer(t);
  await first.publish(build);
  // The restart closes the connections of the publication, which would count as well.
  const server = await first.restart({ limits: { mostConnectionsPerAddress: 5 } });
  const open: Socket[] = [];
  t.teardown(() => {
    for (const socket of open) socket.destroy();
  });
  const ended = Array.from({ length: 10 }, () => {
    const socket = connect({ host: '127.0.0.1', port: server.port });
    open.push(socket);
    socket.on('error', () => undefined);
    return new Promise<'refused'>((resolve) => socket.once('close', () => resolve('refused')));
  });
  await Promise.race(ended);
  await until(() => server.parts.counters.rejectedConnections >= 5);
  t.is(server.parts.counters.rejectedConnections, 5);
  for (const socket of open) socket.destroy();
  await until(() => isSound(server).catch(() => false));
});

test('returns 429 with the reason to an address with too many failed requests', async (t) => {
  // On a slow machine, the failure limit would recover faster than the test causes failures.
  const server = await startTestServer(t, { limits: { failuresPerSecond: 0 } });
  const statuses = new Set<number>();
  const texts = new Set<string>();
  for (let count = 0; count < 130; count++) {
    const { status, body } = readResponse(await sendRaw(server.port, updateRequest('/update/nothing')));
    statuses.add(status);
    texts.add(body.toString().trim());
  }
  t.deepEqual([...statuses], [404, 429]);
  const reason = 'Project not found';
  t.deepEqual([...texts], [reason, `${reason}; also, too many failed requests from this address`]);
});

test('returns 503 with Retry-After when the limit of concurrent downloads is reached', async (t) => {
  const server = await startTestServer(t, { limits: { mostDownloads: 1 } });
  await server.publish(build);
  t.true(server.parts.downloads.begin(), 'somebody downloads');
  const response = await requestAsDevice(server.port, '/update/door');
  t.is(response.status, 503);
  t.is(response.header('retry-after'), '60');
  t.is(server.parts.counters.overCapacity, 1);
  server.parts.downloads.end();
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
});

function hex(value: number): string {
  return (value & 255).toString(16).padStart(2, '0').toUpperCase();
}
