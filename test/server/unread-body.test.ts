import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { testBuild, testSigner } from './builds.ts';
import { readResponse } from './raw-device.ts';
import { digestOf, startTestServer, type TestServer } from './running-server.ts';
import { watchServerReads } from './server-reads.ts';
import { hosts, usedAuthority } from './tls/authority.ts';

const build = await testBuild({ version: '1.0', project: 'door', signer: testSigner() });
const mebibyte = 1024 * 1024;
const generous = { failuresPerAddress: 1_000_000 };

interface Route {
  readonly line: string;
  readonly headers?: readonly string[];
  /** Response statuses without a token, followed by those with an admin token. */
  readonly statuses: readonly [number, number];
}

const upload = `/api/v1/uploads/${'0'.repeat(64)}`;
const piece = ['Upload-Offset: 0', 'Upload-Length: 1000'];
const routes: readonly Route[] = [
  { line: 'GET /update/door', statuses: [403, 403] },
  { line: 'POST /update/door', statuses: [405, 405] },
  { line: 'PUT /files/door/1.0/door.bin', statuses: [405, 405] },
  { line: 'GET /files/door/1.0/nothing.bin', statuses: [404, 404] },
  { line: 'GET /healthz', statuses: [200, 200] },
  { line: 'GET /metrics', statuses: [401, 200] },
  { line: 'GET /api/v1/projects', statuses: [401, 200] },
  { line: 'POST /api/v1/tokens', statuses: [401, 413] },
  { line: 'PUT /api/v1/projects/door', statuses: [401, 413] },
  { line: 'POST /api/v1/projects/door/releases', statuses: [401, 413] },
  { line: 'POST /api/v1/projects/door/devices/import', statuses: [401, 404] },
  { line: 'DELETE /api/v1/tokens/x', statuses: [401, 404] },
  { line: `PATCH ${upload}`, headers: piece, statuses: [401, 400] },
  { line: `PATCH ${upload}`, statuses: [401, 400] },
  { line: 'OPTIONS /api/v1/tokens', statuses: [405, 405] },
  { line: 'PUT /nothing', statuses: [404, 404] },
  { line: 'GET /', statuses: [303, 303] },
  { line: 'POST /login', statuses: [403, 403] },
  { line: 'POST /login', headers: ['Origin: SELF'], statuses: [413, 413] },
  { line: 'POST /logout', headers: ['Origin: SELF'], statuses: [413, 413] },
  { line: 'POST /projects/door/releases/yank', headers: ['Origin: SELF'], statuses: [413, 413] },
];

type Scheme = 'http' | 'https';

async function connect(scheme: Scheme, port: number): Promise<Socket> {
  const place = { host: '127.0.0.1', port };
  const socket = scheme === 'https' ? connectTls({ ...place, rejectUnauthorized: false }) : connectPlain(place);
  socket.on('error', () => undefined);
  await once(socket, scheme === 'https' ? 'secureConnect' : 'connect');
  return socket;
}

/** Reads until the connection is closed. */
async function receive(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return Buffer.concat(chunks);
}

/** Waits until any server in this process has written a response. */
function nextResponse(): Promise<void> {
  return new Promise((resolve) => {
    const onFinish = () => {
      unsubscribe('http.server.response.finish', onFinish);
      resolve();
    };
    subscribe('http.server.response.finish', onFinish);
  });
}

/** Sends data until the connection is closed. */
function pour(socket: Socket): void {
  const chunk = Buffer.alloc(65_536);
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

async function serverOf(t: ExecutionContext, scheme: Scheme): Promise<TestServer> {
  if (scheme === 'http') return startTestServer(t, { limits: generous });
  const data = await usedAuthority(t);
  return startTestServer(t, { limits: generous, data: data.path, tls: { kind: 'self-signed', hosts } });
}

function head(
  server: TestServer,
  { line, headers = [] }: Pick<Route, 'line' | 'headers'>,
  more: readonly string[],
): string {
  const lines = [...headers, ...more].map((text) => text.replace('SELF', `${new URL(server.url).origin}`));
  return `${line} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${lines.map((text) => `${text}\r\n`).join('')}\r\n`;
}

for (const scheme of ['http', 'https'] as const) {
  test(`reads at most 1 MB of a 1 GB body after the response, on every route (${scheme})`, async (t) => {
    const server = await serverOf(t, scheme);
    const readsOf = watchServerReads(t, server.port);
    for (const route of routes) {
      for (const framing of ['Content-Length: 1073741824', 'Transfer-Encoding: chunked']) {
        for (const [index, status] of route.statuses.entries()) {
          const auth = index === 0 ? [] : [`Authorization: Bearer ${server.token}`];
          const name = `${route.line}, ${framing}, ${index === 0 ? 'no token' : 'token'}`;
          const socket = await connect(scheme, server.port);
          const { localPort = 0 } = socket;
          const isChunked = framing.startsWith('Transfer');
          socket.write(`${head(server, route, [framing, ...auth])}${isChunked ? '40000000\r\n' : ''}`);
          pour(socket);
          await receive(socket);
          const { totalBytes, afterResponseBytes, ...sent } = await readsOf(localPort);
          t.is(sent.status, status, name);
          t.true(afterResponseBytes <= mebibyte, `${name}: ${afterResponseBytes} after the response`);
          // The server reads JSON without a declared size up to the limit of 2 MiB.
          t.true(totalBytes <= 4 * mebibyte, `${name}: ${totalBytes} in all`);
        }
      }
    }
  });

  test(`delivers the response to a client that sends its whole body before reading (${scheme})`, async (t) => {
    const server = await serverOf(t, scheme);
    for (let count = 0; count < 60; count++) {
      // Small bodies arrive with the headers. Large bodies arrive long after the response was written.
      const body = Buffer.alloc([10, 5000, 60_000, 300_000][count % 4] ?? 0, 'x');
      const [line, status] = [
        ['POST /api/v1/tokens', 401],
        ['POST /update/door', 405],
        ['PUT /nothing', 404],
      ][count % 3] as [string, number];
      const socket = await connect(scheme, server.port);
      socket.pause();
      socket.write(head(server, { line }, [`Content-Length: ${body.length}`]));
      await new Promise<void>((resolve) => socket.write(body, () => resolve()));
      const received = receive(socket);
      // Node.js sends no response to a client that ends the connection first.
      socket.once('data', () => socket.end()).resume();
      const response = readResponse(await received);
      t.is(response.status, status, `${line}, ${body.length}`);
      t.is(response.body.length, Number(response.header('content-length')));
    }
  });

  test.serial(`delivers the response to a client that reads it only after sending more data (${scheme})`, async (t) => {
    const server = await serverOf(t, scheme);
    for (let count = 0; count < 15; count++) {
      const socket = await connect(scheme, server.port);
      socket.pause();
      const piece = Buffer.alloc(10_000);
      const responded = nextResponse();
      socket.write(head(server, { line: 'POST /api/v1/tokens' }, [`Content-Length: ${6 * piece.length}`]));
      socket.write(piece);
      await responded;
      // If the server reset the connection, the second write would fail, and the client would lose the unread response.
      for (let pieces = 0; pieces < 5; pieces++) {
        await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
        await new Promise(setImmediate);
      }
      const received = receive(socket);
      socket.resume().end();
      t.is(readResponse(await received).status, 401);
    }
  });

  test(`responds to Expect: 100-continue with the final status without reading the body (${scheme})`, async (t) => {
    const server = await serverOf(t, scheme);
    const readsOf = watchServerReads(t, server.port);
    for (const route of routes) {
      for (const [index, status] of route.statuses.entries()) {
        const auth = index === 0 ? [] : [`Authorization: Bearer ${server.token}`];
        const socket = await connect(scheme, server.port);
        const { localPort = 0 } = socket;
        socket.write(head(server, route, ['Content-Length: 1073741824', 'Expect: 100-continue', ...auth]));
        t.is(readResponse(await receive(socket)).status, status, route.line);
        // A TLS client sends one more record when it closes the connection.
        t.true((await readsOf(localPort)).afterResponseBytes < 200, route.line);
      }
    }
  });

  test(`responds to Expect: 100-continue with 100 when the server accepts the body (${scheme})`, async (t) => {
    const server = await serverOf(t, scheme);
    const bytes = Buffer.from('some bytes');
    const auth = `Authorization: Bearer ${server.token}`;
    const wanted: readonly (readonly [Route['line'], readonly string[], Buffer, number])[] = [
      [
        `PATCH /api/v1/uploads/${await digestOf(bytes)}`,
        ['Upload-Offset: 0', `Upload-Length: ${bytes.length}`],
        bytes,
        200,
      ],
      ['POST /api/v1/tokens', [], Buffer.from('{"roles":["read"]}'), 201],
      [
        'POST /login',
        ['Origin: SELF', 'Content-Type: application/x-www-form-urlencoded'],
        Buffer.from(`token=${server.token}`),
        303,
      ],
    ];
    for (const [line, headers, body, status] of wanted) {
      const socket = await connect(scheme, server.port);
      const more = [`Content-Length: ${body.length}`, 'Expect: 100-continue', 'Connection: close', auth];
      socket.write(head(server, { line, headers }, more));
      const [first] = await once(socket, 'data');
      t.is(String(first), 'HTTP/1.1 100 Continue\r\n\r\n', line);
      socket.write(body);
      t.is(readResponse(await receive(socket)).status, status, line);
    }
  });
}

test('returns 417 for any other Expect header, and reads at most 1 MB after the response', async (t) => {
  const server = await startTestServer(t);
  const readsOf = watchServerReads(t, server.port);
  const socket = await connect('http', server.port);
  const { localPort = 0 } = socket;
  socket.write(head(server, { line: 'POST /api/v1/tokens' }, ['Content-Length: 1073741824', 'Expect: the worst']));
  pour(socket);
  await receive(socket);
  const { status, afterResponseBytes } = await readsOf(localPort);
  t.is(status, 417);
  t.true(afterResponseBytes <= mebibyte);
});

test('reads at most 1 MB after the response on the device listener', async (t) => {
  const server = await startTestServer(t, { limits: generous, deviceListen: { host: '127.0.0.1', port: 0 } });
  await server.publish(build);
  const devicePort = Number(new URL(server.deviceUrl).port);
  const readsOf = watchServerReads(t, devicePort);
  for (const [line, status] of [
    ['POST /update/door', 405],
    ['POST /api/v1/tokens', 404],
  ] as const) {
    const socket = await connect('http', devicePort);
    const { localPort = 0 } = socket;
    socket.write(head(server, { line }, ['Content-Length: 1073741824']));
    pour(socket);
    await receive(socket);
    const sent = await readsOf(localPort);
    t.is(sent.status, status);
    t.true(sent.afterResponseBytes <= mebibyte);
  }
});

test('reuses a connection after the request body has been read', async (t) => {
  const server = await startTestServer(t);
  const socket = await connect('http', server.port);
  const body = '{"roles":["read"]}';
  for (let count = 0; count < 3; count++) {
    const more = [`Content-Length: ${body.length}`, `Authorization: Bearer ${server.token}`];
    socket.write(head(server, { line: 'POST /api/v1/tokens' }, more) + body);
    const [response] = await once(socket, 'data');
    t.is(readResponse(response).status, 201);
  }
  socket.destroy();
});
