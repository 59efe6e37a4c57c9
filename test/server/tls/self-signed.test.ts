import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import test from 'ava';
import { issueAuthority } from '../../../src/server/tls/issue.ts';
import { openTls } from '../../../src/server/tls/open-tls.ts';
import { selfSigned } from '../../../src/server/tls/self-signed.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { ageCertificate, hosts, usedAuthority } from './authority.ts';
import { stringsIn } from './device-header.ts';

const dayMs = 86_400_000;

async function certificateIn(folder: TestFolder, name: string): Promise<X509Certificate> {
  return new X509Certificate(await folder.read(name));
}

test('creates an authority, a server certificate and keys that only the owner can read', async (t) => {
  const folder = await testFolder(t);
  const { cert, key } = await selfSigned(folder.at('tls'), hosts).read();
  t.deepEqual(
    await folder.list(),
    ['ca.key', 'ca.pem', 'ota_server_tls.h', 'server.key', 'server.pem'].map((name) => `tls/${name}`),
  );
  const mode = async (name: string) => (await stat(folder.at(name))).mode & 0o777;
  if (process.platform !== 'win32') {
    t.is(await mode('tls'), 0o700);
    t.is(await mode('tls/ca.key'), 0o600);
    t.is(await mode('tls/server.key'), 0o600);
  }
  const [authority, server] = [await certificateIn(folder, 'tls/ca.pem'), new X509Certificate(cert)];
  t.true(authority.ca);
  t.false(server.ca);
  t.true(authority.verify(authority.publicKey));
  t.true(server.verify(authority.publicKey));
  t.true(server.checkIssued(authority));
  t.true(server.checkPrivateKey(createPrivateKey(key)));
  t.is(cert.match(/BEGIN CERTIFICATE/g)?.length, 1, 'no chain: devices know the authority');
});

test('issues a certificate smaller than 1 KB for one year, and an authority for twenty years', async (t) => {
  const folder = await usedAuthority(t);
  const [authority, server] = [
    await certificateIn(folder, 'tls/ca.pem'),
    await certificateIn(folder, 'tls/server.pem'),
  ];
  // The TLS Certificate message adds ten bytes.
  t.true(server.raw.length + 10 < 1024, String(server.raw.length));
  const days = ({ validFrom, validTo }: X509Certificate) => (Date.parse(validTo) - Date.parse(validFrom)) / dayMs;
  t.is(Math.round(days(server)), 366);
  t.is(Math.round(days(authority) / 365), 20);
  t.true(Date.parse(server.validFrom) < Date.now() - dayMs / 2, 'a clock that is slow does no harm');
});

test('lists each address as an IP address and as a DNS name, and always includes localhost', async (t) => {
  const server = await certificateIn(await usedAuthority(t), 'tls/server.pem');
  for (const host of ['ota.example.com', 'localhost']) t.is(server.checkHost(host), host);
  for (const address of ['192.168.1.5', '127.0.0.1']) {
    t.is(server.checkIP(address), address);
    t.true(server.subjectAltName?.split(', ').includes(`DNS:${address}`), 'BearSSL knows names only');
  }
  t.is(server.checkHost('other.example.com'), undefined);
});

test('issues a certificate for localhost when no names are configured', async (t) => {
  const folder = await testFolder(t);
  await selfSigned(folder.at('tls'), []).read();
  t.is((await certificateIn(folder, 'tls/server.pem')).checkHost('localhost'), 'localhost');
});

test('leaves existing certificate files unchanged', async (t) => {
  const folder = await usedAuthority(t);
  const contents = async () => Promise.all((await folder.list()).map((name) => folder.text(name)));
  const before = await contents();
  await selfSigned(folder.at('tls'), hosts).read();
  t.deepEqual(await contents(), before);
});

test('renews a certificate a month before it expires, with the same key and authority', async (t) => {
  const folder = await usedAuthority(t);
  const young = await ageCertificate(folder, 334);
  t.is((await selfSigned(folder.at('tls'), hosts).read()).cert, young);

  const [authority, key] = [await folder.text('tls/ca.pem'), await folder.text('tls/server.key')];
  const old = await ageCertificate(folder, 336);
  const renewed = await selfSigned(folder.at('tls'), hosts).read();
  t.not(renewed.cert, old);
  t.is(await folder.text('tls/server.pem'), renewed.cert);
  t.is(renewed.key, key);
  t.is(await folder.text('tls/ca.pem'), authority);
  const now = new X509Certificate(renewed.cert);
  t.true(Date.parse(now.validTo) > Date.now() + 360 * dayMs);
  t.true(now.publicKey.equals(new X509Certificate(old).publicKey));
});

test('replaces a certificate that is not valid yet, with the same key and authority', async (t) => {
  const folder = await usedAuthority(t);
  const soon = await ageCertificate(folder, -0.9);
  t.is((await selfSigned(folder.at('tls'), hosts).read()).cert, soon, 'valid from a day before it is created');

  const [authority, key] = [await folder.text('tls/ca.pem'), await folder.text('tls/server.key')];
  for (const daysAhead of [1.1, 400, 5000]) {
    const early = await ageCertificate(folder, -daysAhead);
    const renewed = await selfSigned(folder.at('tls'), hosts).read();
    t.not(renewed.cert, early);
    t.true(Date.parse(new X509Certificate(renewed.cert).validFrom) < Date.now());
    t.is(renewed.key, key);
    t.is(await folder.text('tls/ca.pem'), authority);
  }
});

test('keeps an authority that is not valid yet, and logs a warning', async (t) => {
  const folder = await usedAuthority(t);
  const key = createPrivateKey(await folder.text('tls/ca.key'));
  const early = issueAuthority(key, new Date(Date.now() + 400 * dayMs));
  await folder.write('tls/ca.pem', early);
  const logged: [object, string][] = [];
  const log = (fields: object, message: string) => void logged.push([fields, message]);
  const open = () =>
    openTls({ kind: 'self-signed', hosts }, folder.at('tls'), { debug: log, info: log, warn: log, error: log });
  const { certificate } = await open();
  t.is(await folder.text('tls/ca.pem'), early);
  t.true(new X509Certificate(certificate?.cert ?? '').checkIssued(new X509Certificate(early)));
  t.is(logged.length, 1);
  t.like(logged[0]?.[0], { path: folder.at('tls/ca.pem'), validFrom: new X509Certificate(early).validFrom });
  t.regex(logged[0]?.[1] ?? '', /not valid yet.*clock.*remove the file/);

  await rm(folder.at('tls/ca.pem'));
  await open();
  t.is(logged.length, 1);
  t.is((await certificateIn(folder, 'tls/ca.pem')).subject, new X509Certificate(early).subject);
});

test('writes the authority, key and fingerprint to the header, and changes only the fingerprint on renewal', async (t) => {
  const folder = await usedAuthority(t);
  const before = stringsIn(await folder.text('tls/ota_server_tls.h'));
  const server = await certificateIn(folder, 'tls/server.pem');
  t.is(before.get('ota_server_ca'), await folder.text('tls/ca.pem'));
  t.is(before.get('ota_server_key'), server.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  t.is(before.get('ota_server_fingerprint'), server.fingerprint.replaceAll(':', '').toLowerCase());

  await ageCertificate(folder, 360);
  await selfSigned(folder.at('tls'), hosts).read();
  const after = stringsIn(await folder.text('tls/ota_server_tls.h'));
  t.is(after.get('ota_server_ca'), before.get('ota_server_ca'));
  t.is(after.get('ota_server_key'), before.get('ota_server_key'));
  t.not(after.get('ota_server_fingerprint'), before.get('ota_server_fingerprint'));
});

test('issues a new certificate with the same key when a name is added', async (t) => {
  const folder = await usedAuthority(t);
  const key = await folder.text('tls/server.key');
  const { cert, key: now } = await selfSigned(folder.at('tls'), [...hosts, 'new.example.com']).read();
  t.is(new X509Certificate(cert).checkHost('new.example.com'), 'new.example.com');
  t.is(now, key);
});

test('issues a new certificate when the old certificate is damaged or from a different authority', async (t) => {
  const folder = await usedAuthority(t);
  const other = await testFolder(t);
  await selfSigned(other.at('tls'), hosts).read();
  for (const wrong of ['nonsense', await other.text('tls/server.pem')]) {
    await folder.write('tls/server.pem', wrong);
    const { cert } = await selfSigned(folder.at('tls'), hosts).read();
    t.true(new X509Certificate(cert).verify((await certificateIn(folder, 'tls/ca.pem')).publicKey));
  }
});

test('recreates a lost authority certificate with the same name and key', async (t) => {
  const folder = await usedAuthority(t);
  const before = await certificateIn(folder, 'tls/ca.pem');
  await rm(folder.at('tls/ca.pem'));
  await selfSigned(folder.at('tls'), hosts).read();
  const after = await certificateIn(folder, 'tls/ca.pem');
  t.is(after.subject, before.subject);
  t.true(after.publicKey.equals(before.publicKey));
});

test('fails when the authority key is lost, damaged or does not match its certificate', async (t) => {
  const folder = await usedAuthority(t);
  const other = await testFolder(t);
  await selfSigned(other.at('tls'), hosts).read();
  await folder.write('tls/ca.key', await other.read('tls/ca.key'));
  await expectOtaError(t, 'TLS_KEY_MISMATCH', () => selfSigned(folder.at('tls'), hosts).read());
  await folder.write('tls/ca.key', 'nonsense');
  await expectOtaError(t, 'TLS_FILE_UNUSABLE', () => selfSigned(folder.at('tls'), hosts).read());
  await rm(folder.at('tls/ca.key'));
  const error = await expectOtaError(t, 'TLS_AUTHORITY_KEY_LOST', () => selfSigned(folder.at('tls'), hosts).read());
  t.regex(error.hint, /backup/);
});
