import { stat } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { selfSigned } from '../../../src/server/tls/self-signed.ts';
import { startTestServer } from '../../server/running-server.ts';
import { hosts, usedAuthority } from '../../server/tls/authority.ts';
import { runCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

/** A server with its own certificate authority, and a client folder with a copy of the CA certificate. */
async function user(t: ExecutionContext, host = '127.0.0.1') {
  const data = await usedAuthority(t);
  const { url, token } = await startTestServer(t, { data: data.path, host, tls: { kind: 'self-signed', hosts } });
  const folder = await testFolder(t, { 'ca.pem': await data.read('tls/ca.pem'), 'image.bin': new Uint8Array(64) });
  const env = { OTA_SERVER: url, OTA_TOKEN: token };
  const run = (argv: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runCommand(argv, { cwd: folder.path, env: { ...env, ...more } });
  return { folder, url, run, data };
}

const authorityFiles = ['ca.key', 'ca.pem', 'server.key', 'server.pem'];
const list = ['server', 'projects', 'list'];

test('server commands trust the server CA passed with --ca or OTA_CA', async (t) => {
  const { run } = await user(t);
  const byOption = await run([...list, '--ca', 'ca.pem']);
  t.is(byOption.exitCode, 0, byOption.stderr);
  t.notRegex(byOption.stderr, /not encrypted/);
  t.is((await run(list, { OTA_CA: 'ca.pem' })).exitCode, 0);
});

test('server backup and restore preserve the certificate authority that devices trust', async (t) => {
  const { run, folder, data } = await user(t);
  const { exitCode, stderr } = await run(['server', 'backup', '--out', 'backup.ndjson', '--ca', 'ca.pem']);
  t.is(exitCode, 0, stderr);
  t.is((await stat(folder.at('backup.ndjson'))).mode & 0o777, 0o600, 'the backup contains private keys');
  const restore = (to: string) => run(['server', 'restore', 'backup.ndjson', '--data', to]);
  t.is((await restore('restored')).exitCode, 0);
  for (const name of authorityFiles) {
    t.is(await folder.text(`restored/tls/${name}`), await data.text(`tls/${name}`), name);
    const { mode } = await stat(folder.at(`restored/tls/${name}`));
    if (name.endsWith('.key')) t.is(mode & 0o777, 0o600, name);
  }
  const again = await startTestServer(t, { data: folder.at('restored'), tls: { kind: 'self-signed', hosts } });
  t.is(
    await folder.text('restored/tls/ota_server_tls.h'),
    await data.text('tls/ota_server_tls.h'),
    'sketches need no new header',
  );
  t.is((await run([...list, '--ca', 'ca.pem'], { OTA_SERVER: again.url })).exitCode, 0);
  await again.close(1000);

  const offline = ['server', 'backup', '--out', 'offline.ndjson', '--data', 'restored'];
  t.is((await run(offline)).exitCode, 0);
  t.regex(await folder.text('offline.ndjson'), /"tls":"ca\.key"/);
  await selfSigned(folder.at('other/tls'), hosts).read();
  const mixed = await restore('other');
  t.is(mixed.error?.code, 'SERVER_DATA_NOT_EMPTY', 'a different certificate authority is not replaced');
});

test('certificates are verified even if NODE_TLS_REJECT_UNAUTHORIZED is 0', async (t) => {
  const { url, folder } = await user(t);
  const env = {
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
    OTA_SERVER: url,
    OTA_TOKEN: `ota_${'0'.repeat(12)}_${'t'.repeat(43)}`,
  };
  t.regex((await runCli(list, folder.path, env)).stderr, /SERVER_NOT_TRUSTED/);
  t.regex((await runCli([...list, '--ca', 'ca.pem'], folder.path, env)).stderr, /SERVER_REJECTED/);
});

test('the backup API omits TLS keys over plain HTTP', async (t) => {
  const data = await usedAuthority(t);
  const { url, token } = await startTestServer(t, { data: data.path });
  const response = await fetch(`${url}/api/v1/backup`, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  t.regex(text, /"end":true/);
  t.notRegex(text, /"tls"/);
});

test('server commands fail if the CA file is missing, unreadable or from a different server', async (t) => {
  const { run, folder } = await user(t);
  const unknown = await run(list);
  t.is(unknown.error?.code, 'SERVER_NOT_TRUSTED');
  t.regex(unknown.error?.hint ?? '', /--ca FILE/);
  await selfSigned(folder.at('other'), hosts).read();
  t.is((await run([...list, '--ca', 'other/ca.pem'])).error?.code, 'SERVER_NOT_TRUSTED');
  t.is((await run([...list, '--ca', 'missing.pem'])).error?.code, 'FILE_NOT_FOUND');
  t.is((await run([...list, '--ca', 'image.bin'])).error?.code, 'TLS_FILE_UNUSABLE');
});

// On Linux, every 127.x.x.x address is a loopback address. Other systems configure only 127.0.0.1 by default.
if (process.platform === 'linux') {
  test('server commands reject a certificate issued for a different address', async (t) => {
    const { run } = await user(t, '127.0.0.2');
    const { error } = await run([...list, '--ca', 'ca.pem']);
    t.is(error?.code, 'SERVER_NOT_TRUSTED');
    t.regex(error?.hint ?? '', /--tls-host/);
  });
}

test('publish accepts the --ca option', async (t) => {
  const { run } = await user(t);
  const { error } = await run([
    'publish',
    'image.bin',
    '--project',
    'door',
    '--firmware-version',
    '1',
    '--ca',
    'ca.pem',
  ]);
  t.is(error?.code, 'MANIFEST_MISSING', 'publish recognizes the option');
});
