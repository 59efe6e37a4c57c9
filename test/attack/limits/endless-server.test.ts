/** Servers that are silent, are slow or never stop sending: `publish` and `server …` end, and the message contains the reason. */

import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test, { type ExecutionContext } from 'ava';
import { type ApiRequest, connect, stream } from '../../../src/api/client/connection.ts';
import { OtaError } from '../../../src/errors/ota-error.ts';
import { uploadBlob } from '../../../src/publishing/server/upload-blob.ts';
import { packDoor } from '../../publishing/packed-door.ts';
import { runCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { endlessly } from './rude-device.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Starts a server that calls the handler for each connection as soon as a request arrives. */
async function rudeServer(t: ExecutionContext, behave: (socket: Socket) => void): Promise<URL> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => behave(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const ok = 'HTTP/1.1 200 OK\r\n';
const chunk = `ffff\r\n${'x'.repeat(0xffff)}\r\n`;

/** Behaviors of servers that make a client wait. */
const behaviors: Readonly<Record<string, (socket: Socket) => void>> = {
  'is silent': () => undefined,
  'sends the status line slowly': endlessly('', 'H', 20),
  'sends headers slowly': endlessly(ok, 'a: b\r\n', 20),
  'sends endless headers': endlessly(ok, `a: ${'b'.repeat(1000)}\r\n`),
  'sends a body slowly': endlessly(`${ok}Content-Length: 100000\r\n\r\n`, ' ', 20),
  'sends a chunked body slowly': endlessly(`${ok}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n', 20),
  'sends an endless body': endlessly(`${ok}Transfer-Encoding: chunked\r\n\r\n`, chunk),
  'sends a body until the connection ends': endlessly(`${ok}\r\n`, ' '.repeat(0xffff)),
  'announces a body and remains silent': (socket) => socket.write(`${ok}Content-Length: 10\r\n\r\n`),
  'sends endless 100 Continue responses': endlessly('', 'HTTP/1.1 100 Continue\r\n\r\n'),
  'sends 100 Continue responses slowly': endlessly('', 'HTTP/1.1 100 Continue\r\n\r\n', 20),
  'sends endless 103 Early Hints responses': endlessly('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
  'sends an endless error page': endlessly('HTTP/1.1 502 Bad Gateway\r\n\r\n', ' '.repeat(0xffff)),
};

const requests: readonly ApiRequest[] = [
  { method: 'GET', path: '/server' },
  { method: 'POST', path: '/tokens', json: { roles: ['read'] } },
  { method: 'PATCH', path: '/uploads/x', bytes: Buffer.alloc(300) },
];

/** Short limits, because the attack would work the same way for an hour. The default limits are tested below. */
const limits = { graceMs: 400, windowMs: 200 };
const mostStreamBytes = 4 * 1024 ** 2;

for (const [what, behave] of Object.entries(behaviors)) {
  test(`ends a request when the server ${what}`, async (t) => {
    const options = optionsFor(await rudeServer(t, behave));
    // A timeout would never end the request if its signal were garbage-collected.
    const collecting = what.includes('silent') ? setInterval(collectGarbage, 100) : undefined;
    t.teardown(() => clearInterval(collecting));
    const reasons = await Promise.all([
      ...requests.map((request) => reasonOf(connect(options)(request))),
      reasonOf(readAll(stream(options, '/backup', mostStreamBytes))),
    ]);
    for (const reason of reasons) t.regex(reason ?? 'no fault', /^SERVER_UNREACHABLE|^status 502$/);
    countAttacks({ kind: 'servers that never end a response', tried: reasons.length, withstood: reasons.length });
  });
}

const switching = 'HTTP/1.1 101 Switching Protocols\r\n';
const upgrade = 'Connection: upgrade\r\nUpgrade: x\r\n\r\n';

/** Servers that switch to a protocol that the client did not request. */
const switches: Readonly<Record<string, (socket: Socket) => void>> = {
  'and remains silent': (socket) => socket.write(switching + upgrade),
  'and closes the connection': (socket) => socket.end(switching + upgrade),
  'and sends bytes': endlessly(switching + upgrade, 'x'.repeat(1000)),
  'after interim responses': (socket) => socket.write(`HTTP/1.1 100 Continue\r\n\r\n${switching}${upgrade}`),
  'without an Upgrade header': (socket) => socket.write(`${switching}\r\n`),
  'to HTTP/2': (socket) => socket.write(`${switching}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n`),
};

for (const [how, behave] of Object.entries(switches)) {
  test(`rejects a response that switches protocols ${how}`, async (t) => {
    const url = await rudeServer(t, behave);
    // The default limits, so that only the response itself can end the request.
    const options = { ...optionsFor(url), limits: undefined };
    const reasons = await Promise.all([
      ...requests.map((request) => reasonOf(connect(options)(request))),
      reasonOf(readAll(stream(options, '/backup', mostStreamBytes))),
    ]);
    for (const reason of reasons) t.regex(reason ?? 'no fault', /^SERVER_NOT_OURS .*status 101/);
    countAttacks({ kind: 'responses that switch protocols', tried: reasons.length, withstood: reasons.length });
  });
}

test('commands fail when the server switches protocols', async (t) => {
  const folder = await testFolder(t, await packDoor({ version: '1.0', board: 'd1_mini' }));
  const url = await rudeServer(t, (socket) => socket.write(switching + upgrade));
  const env = { OTA_SERVER: url.href, OTA_TOKEN: 'x'.repeat(43) };
  const lines = [
    ['publish', '.', '--to', url.href, '--project', 'door'],
    ['server', 'projects', 'list'],
    ['server', 'releases', 'yank', 'door', '1.0', '--reason', 'bad', '--yes'],
    ['server', 'backup', '--out', 'backup.ndjson'],
  ];
  for (const argv of lines) {
    const { exitCode, stdout, stderr } = await runCli(argv, folder.path, env);
    t.is(exitCode, 1, argv.join(' '));
    t.regex(stderr, /^error\[SERVER_NOT_OURS\]: .*status 101/m, argv.join(' '));
    t.is(stdout, '');
  }
  countAttacks({ kind: 'responses that switch protocols', tried: lines.length, withstood: lines.length });
});

test('reads the whole response of a slow server that keeps sending', async (t) => {
  const parts = 200;
  const url = await rudeServer(t, (socket) => {
    socket.write(`${ok}Connection: close\r\nContent-Length: ${parts * 100}\r\n\r\n`);
    let sent = 0;
    const sending = setInterval(() => {
      socket.write(' '.repeat(100));
      sent++;
      if (sent === parts) clearInterval(sending);
    }, 2);
  });
  // The default limits, which such a server does not reach on any machine.
  const { body } = await stream({ ...optionsFor(url), limits: undefined }, '/backup');
  let count = 0;
  for await (const bytes of body) count += bytes.length;
  t.is(count, parts * 100);
});

test('ends an upload when the server does not read it', async (t) => {
  const url = await rudeServer(t, (socket) => socket.pause());
  const request = connect(optionsFor(url))({
    method: 'PATCH',
    path: '/uploads/x',
    bytes: Buffer.alloc(32 * 1024 ** 2),
  });
  t.regex((await reasonOf(request)) ?? 'no fault', /^SERVER_UNREACHABLE .*less than 2 KB\/s/);
  countAttacks({ kind: 'servers that never end a response', tried: 1, withstood: 1 });
});

function optionsFor(url: URL) {
  return { url, token: 'x', signal: new AbortController().signal, pausesMs: [], limits };
}

/** Returns the code and the message of the error that the work throws. */
async function reasonOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof OtaError ? `${error.code} ${error.message}` : String(error);
  }
}

async function readAll(streaming: ReturnType<typeof stream>): Promise<void> {
  const { status, body } = await streaming;
  // Callers read only the body of a successful response; the connection of any other response is closed.
  if (status !== 200) throw `status ${status}`;
  for await (const bytes of body) if (bytes.length === 0) throw 'an empty chunk';
}

test('ends an upload when the server repeatedly discards pieces', async (t) => {
  const bytes = new Uint8Array(100);
  for (const offsets of [[0], [0, 1], [50, 0, 60, 0], [99, 98, 97]]) {
    let sent = 0;
    const response = async () => {
      const json = { offset: offsets[sent++ % offsets.length], complete: false };
      return { status: 200, url: 'http://127.0.0.1/', json } as const;
    };
    await t.throwsAsync(uploadBlob(response, 'a'.repeat(64), bytes, { pieceBytes: 10 }), { any: true });
    t.true(sent < 100, `${sent} requests`);
  }
  countAttacks({ kind: 'servers that never end a response', tried: 4, withstood: 4 });
});

test('ends a command when the server sends endless pages', async (t) => {
  const folder = await testFolder(t);
  for (const page of ['{"devices": [], "next": "a"}', '{"devices": [{"mac": "x", "attempts": []}], "next": "a"}']) {
    const body = `${ok}Connection: close\r\nContent-Length: ${page.length}\r\n\r\n${page}`;
    const url = await rudeServer(t, (socket) => socket.end(body));
    const env = { OTA_SERVER: url.href, OTA_TOKEN: 'x'.repeat(43) };
    const { error } = await runCommand(['server', 'devices', 'list', 'door'], { cwd: folder.path, env });
    t.is(error?.code, 'SERVER_NOT_OURS');
  }
  countAttacks({ kind: 'servers that never end a response', tried: 2, withstood: 2 });
});
