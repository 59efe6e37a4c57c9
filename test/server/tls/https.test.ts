import { constants } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { ServerOptions } from '../../../src/server/options.ts';
import { selfSigned } from '../../../src/server/tls/self-signed.ts';
import { endlessMs } from '../../support/patience.ts';
import { testFolder } from '../../support/test-folder.ts';
import { sketchMd5Of, testBuild, testSigner } from '../builds.ts';
import { type RawResponse, readResponse, requestAsDevice, sendRaw, updateRequest } from '../raw-device.ts';
import { startTestServer } from '../running-server.ts';
import { ageCertificate, hosts, usedAuthority } from './authority.ts';
import { agreedFragmentLength, clientHello } from './client-hello.ts';
import { applicationData, handshake, type TlsRecord, tap } from './records.ts';

const signer = testSigner();
const [old, young] = [
  await testBuild({ version: '1.0', project: 'door', signer }),
  await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 200_000, compression: 'none' }),
];

/** Server with its own authority, both builds and a plain HTTP listener for devices. */
async function secured(t: ExecutionContext) {
  const folder = await usedAuthority(t);
  const plain = await startTestServer(t, { data: folder.path });
  for (const build of [old, young]) t.is((await plain.publish(build)).status, 201);
  const server = await plain.restart(options);
  return { folder, server, ca: await folder.text('tls/ca.pem') };
}

const options: Partial<ServerOptions> = {
  tls: { kind: 'self-signed', hosts },
  deviceListen: { host: '127.0.0.1', port: 0 },
};

function open(port: number, ca: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, ...options }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Requests an update, then reads until the server closes the connection. */
async function download(port: number, ca: string, more: ConnectionOptions = {}) {
  const socket = await open(port, ca, more);
  const isReused = socket.isSessionReused();
  const session = socket.getSession();
  const fingerprint = socket.getPeerCertificate().fingerprint;
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(updateRequest('/update/door', { sketchMd5: sketchMd5Of(old.manifest) }));
  await once(socket, 'close');
  return { response: readResponse(Buffer.concat(chunks)), session, isReused, fingerprint };
}

/** Options that match BearSSL: TLS 1.2 at most, and session resumption only by session ID. */
const asDevice: ConnectionOptions = { maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET };

function isWhole({ status, body, md5, header }: RawResponse): boolean {
  return status === 200 && body.length > 200_000 && header('x-md5') === md5;
}

test('sends an update over TLS, and counts the completed download', async (t) => {
  const { server, ca } = await secured(t);
  t.regex(server.url, /^https:/);
  const { response } = await download(server.port, ca, asDevice);
  t.true(isWhole(response));
  t.is(response.header('connection'), 'close');
  const metrics = () => server.parts.metrics();
  while (server.parts.downloads.active > 0) await turn();
  t.regex((await metrics()).text, /^ota_downloads_completed_total 1$/m);
  t.regex((await metrics()).text, /^ota_downloads_interrupted_total 0$/m);
});

for (const [version, overhead] of [
  ['TLSv1.2', 24],
  ['TLSv1.3', 17],
] as const) {
  test(`${version}: sends no record larger than 1 KB, even for the certificate`, async (t) => {
    const { server, ca } = await secured(t);
    const { port, records } = await tap(t, server.port);
    t.true(isWhole((await download(port, ca, { minVersion: version, maxVersion: version })).response));
    const longest = (type: number) =>
      Math.max(...records().flatMap((record) => (record.type === type ? record.bytes : [])));
    t.is(longest(applicationData), 1024 + overhead, 'and most of them are full');
    if (version === 'TLSv1.2') t.true(longest(handshake) <= 1024);
  });
}

for (const [code, length] of [512, 1024, 2048, 4096].entries()) {
  test(`accepts ${length}-byte TLS records when a device probes for them`, async (t) => {
    const { server } = await secured(t);
    const socket = connectTcp(server.port, '127.0.0.1');
    socket.write(clientHello(code + 1));
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    t.is(agreedFragmentLength(first), code + 1);
  });
}

test('resumes a TLS session by its ID without sending the certificate again', async (t) => {
  const { server, ca } = await secured(t);
  const first = await tap(t, server.port);
  const { session, isReused } = await download(first.port, ca, asDevice);
  t.false(isReused);
  const second = await tap(t, server.port);
  const again = await download(second.port, ca, { ...asDevice, session });
  t.true(again.isReused);
  t.true(isWhole(again.response));
  const handshakeBytes = (records: readonly TlsRecord[]) =>
    records.reduce((sum, { type, bytes }) => sum + (type === handshake ? bytes : 0), 0);
  t.true(handshakeBytes(first.records()) > 1000);
  t.true(handshakeBytes(second.records()) < 250);
});

test('resumes TLS sessions with tickets, and requires a full handshake after a restart', async (t) => {
  const { folder, server, ca } = await secured(t);
  const withTickets: ConnectionOptions = { maxVersion: 'TLSv1.2' };
  const { session } = await download(server.port, ca, withTickets);
  t.true((await download(server.port, ca, { ...withTickets, session })).isReused);
  const byId = await download(server.port, ca, asDevice);

  const next = await server.restart({ ...options, data: folder.path });
  for (const previous of [
    { ...withTickets, session },
    { ...asDevice, session: byId.session },
  ]) {
    t.false((await download(next.port, ca, previous)).isReused);
  }
});

test('replaces the certificate at runtime without breaking trust or session resumption', async (t) => {
  const { folder, server, ca } = await secured(t);
  const before = await download(server.port, ca, asDevice);
  await ageCertificate(folder, 350);
  await server.reloadCertificate();
  const after = await download(server.port, ca, asDevice);
  t.not(after.fingerprint, before.fingerprint);
  t.is(after.response.status, 200);
  t.true((await download(server.port, ca, { ...asDevice, session: before.session })).isReused);
  t.true(server.logged.some(({ message }) => message === 'Certificate replaced'));
});

test('rejects clients that trust a different authority or send plain HTTP to the HTTPS port', async (t) => {
  const { server, ca } = await secured(t);
  const other = await testFolder(t);
  await selfSigned(other.at('tls'), hosts).read();
  await t.throwsAsync(open(server.port, await other.text('tls/ca.pem')), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  t.is((await sendRaw(server.port, updateRequest('/update/door'))).indexOf('200'), -1);
  t.true(isWhole((await download(server.port, ca)).response));
});

test('serves only device requests on the plain HTTP listener', async (t) => {
  const { server } = await secured(t);
  const port = Number(new URL(server.deviceUrl).port);
  t.regex(server.deviceUrl, /^http:/);
  t.not(port, server.port);
  const update = await requestAsDevice(port, '/update/door', { sketchMd5: sketchMd5Of(old.manifest) });
  t.true(isWhole(update));
  t.is((await fetch(`${server.deviceUrl}/files/door/2.0/door.bin.signed`)).status, 200);
  const headers = { Authorization: `Bearer ${server.token}` };
  for (const path of ['/', '/api/v1/server', '/api/v1/projects', '/metrics', '/healthz', '/api/v1/backup']) {
    const response = await fetch(server.deviceUrl + path, { headers });
    t.is(response.status, 404, path);
    t.regex(await response.text(), /only devices/);
  }
  t.is((await fetch(`${server.deviceUrl}/api/v1/tokens`, { method: 'POST', headers, body: '{}' })).status, 404);
});

for (const [how, hello, graceMs] of [
  ['has not started', '', endlessMs],
  ['is incomplete', clientHello(1).subarray(0, 20), 50],
] as const) {
  test(`closes a connection whose TLS handshake ${how} when the server stops`, async (t) => {
    const { server } = await secured(t);
    const socket = connectTcp(server.port, '127.0.0.1');
    socket.write(hello);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    // The connection is reset if the server has not accepted the connection yet.
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    await server.close(graceMs);
    await closed;
    t.pass();
  });
}
