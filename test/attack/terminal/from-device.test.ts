/** Escape sequences from devices: in responses to uploads, in mDNS records, and in update checks that an administrator lists. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { updateRequest } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { door } from '../../support/built-sketch.ts';
import { virtualDoor } from '../../support/fleet.ts';
import { patienceMs } from '../../support/patience.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { startCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { serverCommands } from '../../support/server-commands.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { allHostileText, hostileIn, hostileText } from './hostile-text.ts';

/** Starts a UDP device that sends the same response to every datagram. */
async function udpDevice(t: ExecutionContext): Promise<{ readonly port: number; response: Buffer }> {
  const socket = createSocket('udp4');
  const device = { port: 0, response: Buffer.alloc(0) };
  socket.on('message', (_, from) => socket.send(device.response, from.port, from.address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  return Object.assign(device, { port: socket.address().port });
}

/** Starts a TCP device that sends the same response on every connection. */
async function tcpDevice(t: ExecutionContext): Promise<{ readonly port: number; response: Buffer }> {
  const device = { port: 0, response: Buffer.alloc(0) };
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume();
    socket.once('data', () => socket.end(device.response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return Object.assign(device, { port: (server.address() as AddressInfo).port });
}

test('shows the responses of devices without their control characters', async (t) => {
  const folder = await testFolder(t, { 'door.bin': door.bin });
  const [udp, tcp] = await Promise.all([udpDevice(t), tcpDevice(t)]);
  let tried = 0;
  const run = async (argv: readonly string[], isFancy = false) => {
    const { stdout, stderr, error } = await runCommand(argv, { cwd: folder.path, fancy: isFancy });
    t.not(error, undefined);
    t.is(hostileIn(stdout + stderr, isFancy), undefined);
    t.is(hostileIn(error?.message ?? ''), undefined, 'answers are cleaned where they are read');
    tried++;
  };
  const attack = async (text: string, encoding: 'utf8' | 'latin1', isFancy: boolean) => {
    for (const word of ['', 'AUTH ', 'ERROR: ']) {
      udp.response = Buffer.from(word + text, encoding);
      await run(['espota', '-i', '127.0.0.1', '-p', String(udp.port), '-f', 'door.bin', '--verbose'], isFancy);
    }
    const argv = ['upload', 'door.bin', '--host', `127.0.0.1:${tcp.port}`, '--method', 'web', '--attempts', '1'];
    for (const head of ['HTTP/1.1 200 OK', `HTTP/1.1 401 ${text}`, `HTTP/1.1 200 OK\r\nLocation: ${text}`, text]) {
      tcp.response = Buffer.from(
        `${head}\r\nContent-Type: text/html\r\n\r\n<pre>Update error: ${text}</pre>${text}`,
        encoding,
      );
      await run([...argv, '--allow', 'unsigned-to-signed'], isFancy);
    }
  };
  await attack(allHostileText, 'utf8', true);
  await attack(allHostileText, 'latin1', false);
  await fc.assert(
    fc.asyncProperty(hostileText, fc.constantFrom('utf8' as const, 'latin1' as const), fc.boolean(), attack),
    propertyRuns(6, 200),
  );
  countAttacks({ kind: 'terminal text from devices', tried, withstood: tried });
});

test('shows announced devices without their control characters', async (t) => {
  const folder = await testFolder(t);
  const hostname = `evil-${process.pid}`;
  const txt = { board: allHostileText.slice(0, 100), [allHostileText.slice(100, 140)]: 'x' };
  await virtualDoor(t, { hostname, mdns: { txt } });
  const argv = ['discover', '--interface', '127.0.0.1', '--add', hostname, '--watch', '--timeout', '0.1'];
  const { stdout, stderr } = await runCommand(argv, { cwd: folder.path });
  t.is(hostileIn(stdout + stderr), undefined);
  for (const more of [[], ['--json']]) {
    const listed = await runCommand(['discover', '--interface', '127.0.0.1', '--timeout', '1', ...more], {
      cwd: folder.path,
    });
    t.is(hostileIn(listed.stdout + listed.stderr), undefined);
  }
  countAttacks({ kind: 'terminal text from devices', tried: 3, withstood: 3 });
});

/** Sends an update check with these bytes as the reported version. */
async function checkIn(port: number, version: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const [head = '', end = ''] = updateRequest('/update/door', { version: '@@' }).split('@@');
  socket.end(Buffer.concat([Buffer.from(head), version, Buffer.from(end)]));
  socket.resume();
  await once(socket, 'close');
}

/** The bytes that Node.js accepts in a header. */
const inHeader = Buffer.from(Array.from({ length: 0x60 }, (_, index) => 0x80 + (index % 0x60)));

test('shows device reports without their control characters', async (t) => {
  const server = await startTestServer(t);
  await server.api('PUT', '/projects/door', {});
  await checkIn(server.port, inHeader);
  const folder = await testFolder(t);
  const { run } = serverCommands(server, folder.path);
  const mac = '18:FE:34:AA:BB:CC';
  for (const argv of [
    ['devices', 'list', 'door'],
    ['devices', 'list', 'door', '--json'],
    ['devices', 'show', 'door', mac],
    ['devices', 'show', 'door', mac, '--json'],
    ['audit'],
  ]) {
    const { stdout, stderr } = await run(...argv);
    t.is(hostileIn(stdout + stderr), undefined, argv.join(' '));
  }
  countAttacks({ kind: 'terminal text from devices', tried: 5, withstood: 5 });
});

test('writes the log of a server without control characters', async (t) => {
  const folder = await testFolder(t);
  const server = startCli(['serve', '--data', 'data', '--listen', '127.0.0.1:0', '--verbose', '--json'], folder.path);
  t.teardown(() => server.kill());
  const [ready] = (await once(server.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(ready.toString());
  await checkIn(Number(new URL(url).port), inHeader);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.end(Buffer.concat([Buffer.from('GET /update/'), inHeader, Buffer.from(' HTTP/1.1\r\nHost: x\r\n\r\n')]));
  socket.resume();
  await once(socket, 'close');
  server.kill('SIGTERM');
  const { stdout, stderr } = await Promise.race([
    server,
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error('the server goes on')), patienceMs).unref()),
  ]);
  t.is(hostileIn(stdout + stderr), undefined);
  for (const line of stderr.split('\n').filter((text) => text.startsWith('{'))) t.notThrows(() => JSON.parse(line));
  countAttacks({ kind: 'terminal text from devices', tried: 2, withstood: 2 });
});
