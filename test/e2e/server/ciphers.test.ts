/** docs/server.md, the code and handshakes with OpenSSL agree on the accepted ciphers. */
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { acceptedCiphers } from '../../../src/server/tls/accepted-ciphers.ts';
import type { TlsOptions } from '../../../src/server/tls/certificate.ts';
import { inParallel } from '../../attack/support/in-parallel.ts';
import { startTestServer } from '../../server/running-server.ts';
import { hosts } from '../../server/tls/authority.ts';
import { testFolder } from '../../support/test-folder.ts';
import { aptInstall } from '../provision/apt.ts';

interface Cipher {
  readonly name: string;
  readonly version: string;
}

test.before(() => aptInstall(['openssl']));

/** All OpenSSL ciphers, including those without encryption. */
async function knownCiphers(): Promise<readonly Cipher[]> {
  const { stdout } = await execa('openssl', ['ciphers', '-v', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0']);
  const [names, modern] = [stdout.split('\n').map((line) => line.split(/\s+/)), 'TLSv1.3'];
  const found = names.flatMap(([name, version]) => (name === undefined ? [] : [{ name, version: version ?? '' }]));
  // OpenSSL lists the ciphers of TLS 1.3 only if they are enabled; two of them are not.
  const rare = ['TLS_AES_128_CCM_SHA256', 'TLS_AES_128_CCM_8_SHA256'].map((name) => ({ name, version: modern }));
  return [...found, ...rare];
}

/** Returns the cipher of a connection whose client offers only this cipher, or undefined if the server rejects it. */
async function negotiated(port: number, { name, version }: Cipher): Promise<string | undefined> {
  const only =
    version === 'TLSv1.3' ? ['-tls1_3', '-ciphersuites', name] : ['-no_tls1_3', '-cipher', `${name}:@SECLEVEL=0`];
  const argv = ['s_client', '-connect', `127.0.0.1:${port}`, ...only];
  const { stdout } = await execa('openssl', argv, { input: '', reject: false });
  return /Cipher is (?!\(NONE\))(\S+)/.exec(stdout)?.[1];
}

async function offeredWith(port: number): Promise<readonly string[]> {
  const offered = new Set<string>();
  const ciphers = await knownCiphers();
  await inParallel(ciphers, async (cipher) => {
    if ((await negotiated(port, cipher)) === cipher.name) offered.add(cipher.name);
    return true;
  });
  return [...offered].sort();
}

const page = await readFile(new URL('../../../docs/server.md', import.meta.url), 'utf8');

test('the documentation justifies exactly the ciphers that the server accepts', (t) => {
  const [, section = ''] = page.split('\n### Ciphers\n');
  const rows = [...section.matchAll(/^\| `([\w-]+)` \| 1\.[23] \| [^|]{20,} \|$/gm)];
  t.deepEqual(
    rows.map(([, name]) => name),
    [...acceptedCiphers],
  );
});

for (const [kind, newKey] of [
  ['RSA', ['-newkey', 'rsa:2048']],
  ['ECDSA', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']],
] as const) {
  test(`with an ${kind} certificate, handshakes succeed only with the accepted OpenSSL ciphers`, async (t) => {
    const folder = await testFolder(t);
    const [cert, key] = [folder.at('cert.pem'), folder.at('key.pem')];
    const self = ['-x509', '-nodes', '-subj', '/CN=localhost', '-days', '1', '-keyout', key, '-out', cert];
    await execa('openssl', ['req', ...self, ...newKey]);
    const server = await startTestServer(t, { tls: { kind: 'files', cert, key } satisfies TlsOptions });
    const other = kind === 'RSA' ? /ECDSA/ : /-RSA-|^AES128-SHA256$/;
    t.true((await knownCiphers()).length > 100);
    t.deepEqual(await offeredWith(server.port), acceptedCiphers.filter((name) => !other.test(name)).sort());
  });
}

for (const version of ['-tls1', '-tls1_1']) {
  test(`rejects a client with openssl s_client ${version}`, async (t) => {
    const folder = await testFolder(t);
    const server = await startTestServer(t, { data: folder.path, tls: { kind: 'self-signed', hosts } });
    const argv = ['s_client', '-connect', `127.0.0.1:${server.port}`, version, '-cipher', 'ALL:@SECLEVEL=0'];
    const { exitCode } = await execa('openssl', argv, { input: '', reject: false });
    t.is(exitCode, 1);
  });
}
