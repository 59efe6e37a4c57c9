import test, { type ExecutionContext } from 'ava';
import { selfSigned } from '../../src/server/tls/self-signed.ts';
import { startTestServer } from '../server/running-server.ts';
import { hosts, usedAuthority } from '../server/tls/authority.ts';
import { runVerb } from '../support/run-verb.ts';
import { testFolder } from '../support/test-folder.ts';

/** A server with an authority of its own, and the folder of somebody who has a copy of its certificate. */
async function user(t: ExecutionContext, host = '127.0.0.1') {
  const data = await usedAuthority(t);
  const { url, token } = await startTestServer(t, { data: data.path, host, tls: { kind: 'self-signed', hosts } });
  const folder = await testFolder(t, { 'ca.pem': await data.read('tls/ca.pem'), 'image.bin': new Uint8Array(64) });
  const env = { OTA_SERVER: url, OTA_TOKEN: token };
  const run = (argv: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runVerb(argv, { cwd: folder.path, env: { ...env, ...more } });
  return { folder, url, run };
}

const list = ['server', 'projects', 'list'];

test('a server with an authority of its own is trusted by --ca, or by OTA_CA', async (t) => {
  const { run } = await user(t);
  const byOption = await run([...list, '--ca', 'ca.pem']);
  t.is(byOption.exitCode, 0, byOption.stderr);
  t.notRegex(byOption.stderr, /not encrypted/);
  t.is((await run(list, { OTA_CA: 'ca.pem' })).exitCode, 0);
});

test('a backup comes the same way', async (t) => {
  const { run, folder } = await user(t);
  const { exitCode, stderr } = await run(['server', 'export', '--out', 'backup.ndjson', '--ca', 'ca.pem']);
  t.is(exitCode, 0, stderr);
  t.regex(await folder.text('backup.ndjson'), /"end":true/);
});

test('without it, or with another one, nothing is sent, and it is said what to do', async (t) => {
  const { run, folder } = await user(t);
  const unknown = await run(list);
  t.is(unknown.error?.code, 'SERVER_NOT_TRUSTED');
  t.regex(unknown.error?.hint ?? '', /--ca FILE/);
  await selfSigned(folder.at('other'), hosts).read();
  t.is((await run([...list, '--ca', 'other/ca.pem'])).error?.code, 'SERVER_NOT_TRUSTED');
  t.is((await run([...list, '--ca', 'missing.pem'])).error?.code, 'FILE_NOT_FOUND');
  t.is((await run([...list, '--ca', 'image.bin'])).error?.code, 'TLS_FILE_UNUSABLE');
});

// Elsewhere a machine has one address of its own only.
if (process.platform === 'linux') {
  test('another address than the certificate has is not believed', async (t) => {
    const { run } = await user(t, '127.0.0.2');
    const { error } = await run([...list, '--ca', 'ca.pem']);
    t.is(error?.code, 'SERVER_NOT_TRUSTED');
    t.regex(error?.hint ?? '', /--tls-host/);
  });
}

test('publish trusts by the same words', async (t) => {
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
  t.is(error?.code, 'MANIFEST_MISSING', 'the option is known');
});
