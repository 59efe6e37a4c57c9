import { stat } from 'node:fs/promises';
import test from 'ava';
import { sketchMd5Of, testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer } from '../../server/running-server.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { serverCommands } from '../../support/server-commands.ts';
import { testFolder } from '../../support/test-folder.ts';

const signer = testSigner();
const builds = [await testBuild({ version: '1.0', signer }), await testBuild({ version: '2.0', signer, seed: 2 })];
const mac = '18:FE:34:AA:BB:CC';

test('server tokens creates, lists and revokes tokens', async (t) => {
  const server = await startTestServer(t);
  const { run, json } = serverCommands(server, server.folder);
  const made = await json('tokens', 'create', '--role', 'read', '--name', 'dashboard');
  t.like(made, { roles: ['read'], name: 'dashboard' });
  const plain = await run('tokens', 'create');
  t.regex(plain.stdout, /^ota_[0-9a-f]{12}_[\w-]{43}\n$/, 'stdout contains only the token');
  const listed = await run('tokens', 'list');
  t.regex(listed.stdout, /dashboard +[0-9a-f]{12} +read +- +all +just now/);
  t.notRegex(listed.stdout, new RegExp(made.token));
  await run('tokens', 'create', '--role', 'publish', '--project', 'door', '--name', 'builder');
  const names = async (...options: readonly string[]) =>
    ((await json('tokens', 'list', ...options)) as { name?: string }[]).map(({ name = '' }) => name).sort();
  t.deepEqual(await names('--role', 'read'), ['dashboard']);
  t.deepEqual((await names('--role', 'publish')).length, 2);
  t.true((await names('--project', 'door')).includes('builder'));
  t.false((await names('--project', 'window')).includes('builder'));
  const first = await run('tokens', 'list', '--limit', '1');
  t.regex(first.stderr, /^Listed 1 of 4 tokens\.$/m);
  t.is(first.stdout.trimEnd().split('\n').length, 2);
  const reader = serverCommands(server, server.folder, made.token);
  const refused = await reader.run('tokens', 'list');
  t.is(refused.error?.code, 'SERVER_REJECTED');
  t.regex(refused.error?.message ?? '', /role-missing/);
  t.deepEqual(await json('tokens', 'revoke', 'dashboard', '--yes'), { revoked: made.id });
  t.is((await run('tokens', 'revoke', 'dashboard', '--yes')).error?.code, 'SERVER_REJECTED');
  t.is((await reader.run('projects', 'list')).exitCode, 1);
});

test('server projects edits a project, and server devices imports, edits and removes devices', async (t) => {
  const server = await startTestServer(t);
  for (const build of builds) await server.publish(build);
  const folder = await testFolder(t, {
    'new.key': rsaPems().publicPem,
    'arduino-db.json': JSON.stringify({
      '18:FE:AA:AA:AA:AA': { file: 'DOOR-7-g14f53a19.bin', version: 1 },
      '18:FE:AA:AA:AA:BB': { file: 'TEMP-1.0.0.bin', version: 1 },
    }),
    'devices.csv': `mac,file\n${mac.replaceAll(':', '-').toLowerCase()},door.bin\n5CCF7F510001\n`,
    'broken.json': '{"18:FE:AA:AA:AA:AA": {"file": "DOOR.bin"".bin"}}',
  });
  const { run, json } = serverCommands(server, folder.path);
  const set = ['projects', 'set', 'door', '--access', 'closed', '--alias', '/esp/x.php', '--alias', '/b.php=beta'];
  const project = await json(...set, '--public-key', 'new.key', '--user', 'esp', '--password-env', 'ESP_PASSWORD');
  t.like(project, { access: 'closed', user: 'esp' });
  t.is(project.keys.length, 1);
  t.deepEqual(project.aliases[1], { path: '/b.php', channel: 'beta' });
  const imported = async (...argv: string[]) =>
    (await json('devices', 'import', ...argv, '--project', 'door')).devices.map(
      ({ change }: { change: string }) => change,
    );
  t.deepEqual(await imported('arduino-db.json', '--only', 'DOOR-*'), ['added']);
  t.deepEqual(await imported('devices.csv'), ['added', 'added']);
  t.is((await json('devices', 'show', 'door', '5c-cf-7f-51-00-01')).name, undefined);
  t.is((await run('devices', 'import', 'broken.json', '--project', 'door')).exitCode, 2);
  await json('devices', 'set', 'door', mac, '--name', 'front door', '--channel', 'beta', '--atomic-fs', 'yes');
  const listed = await run('devices', 'list', 'door');
  t.regex(listed.stdout, /18:FE:34:AA:BB:CC +front door +unknown +unknown +never/);
  const cleared = await json('devices', 'set', 'door', mac, '--name', '', '--atomic-fs', 'unknown');
  t.is(cleared.name, undefined);
  await json('devices', 'set', 'door', mac, '--allow', 'fs-moved');
  t.regex((await run('devices', 'show', 'door', mac)).stdout, /allowed rules +fs-moved/);
  t.is((await json('devices', 'set', 'door', mac, '--allow', '')).allow, undefined);
  t.is((await run('devices', 'set', 'door', mac, '--allow', 'wrong-key')).exitCode, 2);
  t.is(cleared.channel, 'beta');
  await json('devices', 'remove', 'door', mac, '--yes');
  t.is((await run('devices', 'show', 'door', mac)).exitCode, 1);
  t.is((await run('projects', 'set', 'door', '--user', 'esp')).exitCode, 2);
  t.notRegex((await run('projects', 'list')).stdout, /sesame/);
});

test('server devices show names the artifact, the rule and the fix of a blocked update', async (t) => {
  const server = await startTestServer(t);
  const [old = never()] = builds;
  for (const build of builds) await server.publish(build);
  // The MD5 shows that the device runs the old build in a different flash mode than the images have.
  const running = old.manifest.image.sketchMd5s.find(({ flashMode }) => flashMode === 'dout');
  await requestAsDevice(server.port, '/update/door', { sketchMd5: running?.md5 ?? never() });
  const { run, json } = serverCommands(server, server.folder);
  const { sketch } = await json('devices', 'show', 'door', mac);
  t.like(sketch, { action: 'none', code: 'blocked flash-mode-signed', version: '2.0' });
  t.like(sketch.blocked, {
    artifact: 'door.bin.signed',
    findings: [
      {
        rule: 'flash-mode-signed',
        fix: 'build the image for flash mode dout',
        fixes: [{ action: 'build', flashMode: 'dout' }],
      },
    ],
  });
  const { stdout } = await run('devices', 'show', 'door', mac);
  t.regex(stdout, /^sketch +no update: 2\.0 blocked in door\.bin\.signed \(just now\)$/m);
  t.regex(stdout, /^ {2}flash-mode-signed +the image has flash mode dio, but the device's flash mode is dout/m);
  t.regex(stdout, /^ {2}fix +build the image for flash mode dout$/m);
});

test('server releases promotes and yanks releases, and server devices show explains a skipped update', async (t) => {
  const server = await startTestServer(t);
  for (const build of builds) await server.publish(build);
  const { run, json } = serverCommands(server, server.folder);
  const [old] = builds;
  const words = { sketchMd5: sketchMd5Of(old?.manifest ?? never()) };
  for (let count = 0; count < 4; count++) await requestAsDevice(server.port, '/update/door', words);
  const shown = await run('devices', 'show', 'door', mac);
  t.regex(shown.stdout, /running +1\.0 \(identified by sketch MD5\)/);
  t.regex(shown.stdout, /sketch +no update: 2\.0 not installed: the device runs a different build \(3 downloads\)/);
  t.regex((await run('devices', 'list', 'door', '--failed')).stdout, /failed: 2\.0 not installed, 3 attempts/);
  await json('devices', 'retry', 'door', mac);
  t.notRegex((await run('devices', 'list', 'door', '--failed')).stdout, /failed/);
  t.regex((await run('devices', 'list', 'door')).stdout, /pending: Retry requested/);
  await json('releases', 'promote', 'door', '1.0');
  t.is((await requestAsDevice(server.port, '/update/door', words)).status, 304);
  await json('releases', 'yank', 'door', '2.0', '--reason', 'it smokes', '--yes');
  t.regex((await run('releases', 'list', 'door')).stdout, /2\.0 +sketch +- +yanked: it smokes/);
  t.is((await run('releases', 'promote', 'door', '2.0')).exitCode, 1);
  t.regex((await run('audit')).stdout, /release\.yanked +door/);
});

test('server backup copies the data of a running server, and restore requires an empty folder and a valid file', async (t) => {
  const server = await startTestServer(t);
  for (const build of builds) await server.publish(build);
  await requestAsDevice(server.port, '/update/door');
  const folder = await testFolder(t);
  const { run } = serverCommands(server, folder.path);
  t.is((await run('backup', '--out', 'backup.ndjson')).exitCode, 0);
  t.is((await stat(folder.at('backup.ndjson'))).mode & 0o777, 0o600);
  const restore = (file: string, data: string) => run('restore', file, '--data', data);
  t.is((await restore('backup.ndjson', 'restored')).exitCode, 0);
  t.is((await restore('backup.ndjson', 'restored')).error?.code, 'SERVER_DATA_NOT_EMPTY');
  const other = await startTestServer(t, { data: folder.at('restored') });
  t.is(other.token, '', 'the restored data already contains tokens');
  const { status } = await other.api('GET', '/projects/door/releases', undefined, server.token);
  t.is(status, 200);
  const response = await requestAsDevice(other.port, '/update/door', { mac: '18:FE:34:00:00:02' });
  t.is(response.header('x-md5'), response.md5);

  await other.close(100);
  t.is((await run('backup', '--out', 'again.ndjson', '--data', 'restored')).exitCode, 0);
  const text = await folder.text('backup.ndjson');
  await folder.write('short.ndjson', text.slice(0, text.length >> 1));
  await folder.write('other.ndjson', '{"a":1}\n');
  await folder.write('changed.ndjson', text.replace(/"base64":"..../, '"base64":"AAAA'));
  await folder.write('table.ndjson', text.replace('"table":"projects"', '"table":"sqlite_schema"'));
  for (const name of ['short', 'other', 'changed', 'table']) {
    t.is((await restore(`${name}.ndjson`, name)).error?.code, 'BACKUP_INVALID', name);
  }
  t.is((await restore('nothing.ndjson', 'x')).error?.code, 'FILE_NOT_FOUND');
  t.is((await restore('backup.ndjson', 'short')).exitCode, 0, 'a rejected restore leaves no files behind');
});

test('server tokens create --data creates an admin token when no server is running', async (t) => {
  const server = await startTestServer(t);
  const { run } = serverCommands(server, server.folder);
  const argv = ['tokens', 'create', '--role', 'admin', '--data', server.folder];
  t.is((await run(...argv)).error?.code, 'SERVER_DATA_IN_USE');
  await server.close(0);
  const { stdout } = await run(...argv);
  const next = await startTestServer(t, { data: server.folder });
  t.is((await next.api('GET', '/tokens', undefined, stdout.trim())).status, 200);
});

test('server commands require a valid server URL and a token', async (t) => {
  const { path } = await testFolder(t);
  const run = (...argv: string[]) => runCommand(['server', ...argv], { cwd: path, env: { OTA_TOKEN: 'ota_x' } });
  t.is((await run('projects', 'list')).exitCode, 2);
  t.is((await run('projects', 'list', '--server', './folder')).exitCode, 2);
  const missing = await runCommand(['server', 'projects', 'list', '--server', 'http://127.0.0.1:1'], { cwd: path });
  t.is(missing.error?.code, 'SECRET_MISSING');
});

function never(): never {
  throw new Error('the build has no manifest');
}

test('server commands fail with a hint when no server is configured', async (t) => {
  const { exitCode, error } = await runCommand(['server', 'devices', 'list', 'door'], { cwd: '.' });
  t.is(exitCode, 2);
  t.is(error?.message, 'No server configured');
  t.regex(error?.hint ?? '', /OTA_SERVER.*--server URL/);
});
