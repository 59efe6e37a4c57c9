import { readFileSync } from 'node:fs';
import test from 'ava';
import { readManifest } from '../../src/core/model/manifest.ts';
import { scriptedServer } from '../api/client/scripted-server.ts';
import { startTestServer } from '../server/running-server.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/formats/${name}`, import.meta.url), 'utf8');
}

interface ApiFixture {
  readonly headers: Readonly<Record<string, string>>;
  readonly json: unknown;
}

/** Runs a `server` command against a server that sends the response from a fixture. */
async function requestFromServer(t: Parameters<typeof scriptedServer>[0], name: string) {
  // The fixtures have this shape.
  const response = JSON.parse(fixture(name)) as ApiFixture;
  const server = await scriptedServer(t, () => ({ status: 200, ...response }));
  const { path } = await testFolder(t);
  const argv = ['server', 'projects', 'list', '--server', server.url.href, '--json'];
  return runCommand(argv, { cwd: path, env: { OTA_TOKEN: 'ota_x' } });
}

test('reads a manifest with format version 1', (t) => {
  t.is(readManifest(fixture('manifest-1.json'), 'manifest-1.json').image.kind, 'sketch');
});

test('rejects a manifest with a newer format version', async (t) => {
  const { path } = await testFolder(t, { 'door.bin.ota.json': fixture('manifest-2.json') });
  const { error, exitCode } = await runCommand(['preflight', 'door.bin.ota.json'], { cwd: path });
  t.is(exitCode, 1);
  t.is(error?.code, 'FORMAT_TOO_NEW');
  t.regex(error?.message ?? '', /door\.bin\.ota\.json uses manifest format 2, but .* up to 1$/);
  t.is(error?.hint, 'Update ota-hooks.');
});

test('the server rejects a manifest with a newer format version and suggests a server update', async (t) => {
  const server = await startTestServer(t);
  const request = { version: '1.0', manifest: fixture('manifest-2.json') };
  const { status, body } = await server.api('POST', '/projects/door/releases', request);
  t.is(status, 422);
  t.like(body, { error: { code: 'invalid', message: 'manifest format 2 is newer than 1' } });
  t.regex(JSON.stringify(body), /Update ota-hooks on the server/);
});

test('restores a backup with format version 1', async (t) => {
  const folder = await testFolder(t, { 'backup.ndjson': fixture('backup-1.ndjson') });
  const { exitCode } = await runCommand(['server', 'restore', 'backup.ndjson', '--data', 'data'], { cwd: folder.path });
  t.is(exitCode, 0);
  const server = await startTestServer(t, { data: folder.at('data') });
  t.is((await server.api('GET', '/projects/door')).status, 200);
});

test('rejects a backup with a newer format version', async (t) => {
  const { path } = await testFolder(t, { 'backup.ndjson': fixture('backup-2.ndjson') });
  const { error } = await runCommand(['server', 'restore', 'backup.ndjson', '--data', 'data'], { cwd: path });
  t.is(error?.code, 'FORMAT_TOO_NEW');
  t.regex(error?.message ?? '', /backup\.ndjson uses backup format 2, but .* up to 1$/);
});

test('reads a response with API version 1', async (t) => {
  const { exitCode, stdout } = await requestFromServer(t, 'api-1.json');
  t.is(exitCode, 0);
  t.like(JSON.parse(stdout), [{ name: 'door' }]);
});

test('rejects a response with a newer API version', async (t) => {
  const { error } = await requestFromServer(t, 'api-2.json');
  t.is(error?.code, 'FORMAT_TOO_NEW');
  t.regex(error?.message ?? '', /http:\/\/127\.0\.0\.1:\d+ uses API format 2, but .* up to 1$/);
});

test('the server sends its API version with every response, and rejects requests for a newer version', async (t) => {
  const server = await startTestServer(t);
  const request = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
  t.is((await request('/api/v1/server')).headers.get('ota-api-version'), '1');
  const newer = await request('/api/v2/server');
  t.is(newer.headers.get('ota-api-version'), '1');
  t.regex(
    await newer.text(),
    /API version 2 is not supported; this server supports version 1.*Update ota-hooks on the server/,
  );
});
