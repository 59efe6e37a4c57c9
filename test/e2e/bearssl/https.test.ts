/** Tests HTTPS with the real BearSSL, the header that a sketch includes, and the buffer sizes of a device. */
import { createHash } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { selfSigned } from '../../../src/server/tls/self-signed.ts';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { updateRequest } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { ageCertificate, hosts, usedAuthority } from '../../server/tls/authority.ts';
import { applicationData, tap } from '../../server/tls/records.ts';
import { testFolder } from '../../support/test-folder.ts';
import { buildHttpsClient } from './https-client.ts';

/** Error codes of bearssl_x509.h and bearssl_ssl.h. */
const errors = { badSignature: 27, expired: 54, badServerName: 56, notTrusted: 62 };
/** Bytes of the ChaCha20-Poly1305 tag. */
const overhead = 16;

const signer = testSigner();
const [old, young] = [
  await testBuild({ version: '1.0', project: 'door', signer }),
  await testBuild({ version: '2.0', project: 'door', signer, seed: 2, sizeBytes: 400_000, compression: 'none' }),
];
const md5 = createHash('md5')
  .update(young.files.get('door.bin.signed') ?? '')
  .digest('hex');
const request = updateRequest('/update/door', { sketchMd5: sketchMd5Of(old.manifest) });

/** A server with an update, and a device built for this server. */
async function place(t: ExecutionContext) {
  const folder = await usedAuthority(t);
  const plain = await startTestServer(t, { data: folder.path });
  for (const build of [old, young]) t.is((await plain.publish(build)).status, 201);
  const server = await plain.restart({ tls: { kind: 'self-signed', hosts } });
  const download = await buildHttpsClient(folder.at('tls/ota_server_tls.h'), folder.at('device'));
  return { folder, server, download, port: server.port };
}

for (const [bufferBytes, longest] of [
  [512, 512],
  [1024, 1024],
  [4096, 1024],
  [16_384, 1024],
] as const) {
  test(`a device with a buffer of ${bufferBytes} bytes downloads an image in records of at most ${longest}`, async (t) => {
    const { download, port } = await place(t);
    const wire = await tap(t, port);
    const [outcome] = await download({ port: wire.port, request, bufferBytes });
    t.like(outcome, { status: 200, md5 });
    const records = wire.records();
    t.is(
      Math.max(...records.flatMap(({ type, bytes }) => (type === applicationData ? bytes : []))),
      longest + overhead,
    );
    t.true(
      Math.max(...records.map(({ bytes }) => bytes)) <= longest + overhead,
      'handshake records are also short enough',
    );
  });
}

test('a sketch with "Basic SSL ciphers" downloads an image', async (t) => {
  const { download, port } = await place(t);
  t.like((await download({ port, request, suites: 'basic' }))[0], { status: 200, md5 });
});

test('a device needs a clock only if it trusts the CA instead of the server key', async (t) => {
  const { download, port } = await place(t);
  t.like((await download({ port, request, trusts: 'key', clock: '1970' }))[0], { status: 200, md5 });
  t.deepEqual(await download({ port, request, clock: '1970' }), [{ error: errors.expired }]);
});

test('a device accepts an IP address only if the certificate contains the address', async (t) => {
  const { download, port } = await place(t);
  t.like((await download({ port, request, name: '192.168.1.5' }))[0], { status: 200, md5 });
  t.deepEqual(await download({ port, request, name: '192.168.1.6' }), [{ error: errors.badServerName }]);
});

test('a device resumes its session by ID without receiving the certificate again', async (t) => {
  const { download, port } = await place(t);
  const [first, second] = await download({ port, request, times: 2 });
  t.like(first, { status: 200, md5, handshake: 'full' });
  t.like(second, { status: 200, md5, handshake: 'resumed' });
  if (first === undefined || second === undefined || 'error' in first || 'error' in second) return t.fail();
  t.true(
    first.handshakeBytes > 1000 && second.handshakeBytes < 250,
    `${first.handshakeBytes}, ${second.handshakeBytes}`,
  );
});

test('existing devices still connect after the certificate is renewed while the server runs', async (t) => {
  const { folder, server, download, port } = await place(t);
  const before = await folder.text('tls/server.pem');
  await ageCertificate(folder, 350);
  await server.reloadCertificate();
  t.not(await folder.text('tls/server.pem'), before);
  t.true(server.logged.some(({ message }) => message === 'Certificate replaced'));
  for (const trusts of ['anchor', 'key'] as const) {
    t.like((await download({ port, request, trusts }))[0], { status: 200, md5, handshake: 'full' });
  }
});

test('a device that was built for a different server rejects the connection', async (t) => {
  const { port } = await place(t);
  const other = await testFolder(t);
  await selfSigned(other.path, hosts).read();
  const download = await buildHttpsClient(other.at('ota_server_tls.h'), other.at('device'));
  t.deepEqual(await download({ port, request }), [{ error: errors.notTrusted }]);
  t.deepEqual(await download({ port, request, trusts: 'key' }), [{ error: errors.badSignature }]);
});
