import { connect } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { ownFiles } from '../../../src/server/tls/own-files.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import type { TestFolder } from '../../support/test-folder.ts';
import { startTestServer } from '../running-server.ts';
import { ageCertificate, usedAuthority } from './authority.ts';

/** Folder with a certificate and a key. The files have the names that certbot uses. */
async function certbot(t: ExecutionContext): Promise<TestFolder> {
  const folder = await usedAuthority(t);
  await folder.write('fullchain.pem', (await folder.text('tls/server.pem')) + (await folder.text('tls/ca.pem')));
  await folder.write('privkey.pem', await folder.read('tls/server.key'));
  return folder;
}

function source(folder: TestFolder) {
  return ownFiles(folder.at('fullchain.pem'), folder.at('privkey.pem'));
}

test('reads a certificate with its whole chain', async (t) => {
  const folder = await certbot(t);
  const { cert, key } = await source(folder).read();
  t.is(cert, await folder.text('fullchain.pem'));
  t.is(key, await folder.text('privkey.pem'));
});

test('reports why a certificate or key file cannot be used', async (t) => {
  const folder = await certbot(t);
  const refused = async (
    name: string,
    content: string | Uint8Array,
    code: 'TLS_FILE_UNUSABLE' | 'TLS_KEY_MISMATCH',
  ) => {
    const before = await folder.read(name);
    await folder.write(name, content);
    const { message } = await expectOtaError(t, code, () => source(folder).read());
    await folder.write(name, before);
    return message;
  };
  t.regex(await refused('fullchain.pem', 'nonsense', 'TLS_FILE_UNUSABLE'), /contains no certificate/);
  t.regex(await refused('privkey.pem', '', 'TLS_FILE_UNUSABLE'), /contains no private key/);
  const encrypted = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n';
  t.regex(await refused('privkey.pem', encrypted, 'TLS_FILE_UNUSABLE'), /encrypted/);
  t.regex(await refused('privkey.pem', await folder.read('tls/ca.key'), 'TLS_KEY_MISMATCH'), /does not match the key/);
  await expectOtaError(t, 'FILE_NOT_FOUND', () => ownFiles(folder.at('fullchain.pem'), folder.at('no.pem')).read());
  t.notThrows(() => source(folder).read());
});

test('loads a renewed certificate at runtime, and keeps the old certificate if the key does not match', async (t) => {
  const folder = await certbot(t);
  const tls = { kind: 'files', cert: folder.at('fullchain.pem'), key: folder.at('privkey.pem') } as const;
  const server = await startTestServer(t, { tls });
  const ca = await folder.text('tls/ca.pem');
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: server.port, ca }, () => {
        resolve(socket.getPeerCertificate().fingerprint);
        socket.destroy();
      });
      socket.once('error', reject);
    });
  const first = await shown();

  await folder.write('privkey.pem', await folder.read('tls/ca.key'));
  await server.reloadCertificate();
  await server.reloadCertificate();
  t.is(await shown(), first);
  t.is(server.logged.filter(({ level }) => level === 'warn').length, 1, 'said once');

  await folder.write('privkey.pem', await folder.read('tls/server.key'));
  await folder.write('fullchain.pem', await ageCertificate(folder, 10));
  await server.reloadCertificate();
  t.not(await shown(), first);
});
