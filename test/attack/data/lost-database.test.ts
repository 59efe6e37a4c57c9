import { cp, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { removeOrphans } from '../../../src/server/services/maintenance.ts';
import { startServer } from '../../../src/server/start.ts';
import { sealData } from '../../../src/server/storage/data-identity.ts';
import type { DataIdentity } from '../../../src/server/storage/store.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { digestOf, startTestServer, type TestServer, upload } from '../../server/running-server.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';
import { copyOf, crashedData, exists, firstBuild, lose, sealsIn, secondBuild, stoppedData } from './data-folder.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const start = (data: string) => startServer({ data, host: '127.0.0.1', port: 0, log: silent });

async function blobsIn(data: string): Promise<readonly string[]> {
  return (await readdir(join(data, 'blobs'), { recursive: true })).sort();
}

/** Checks that the server refuses to start on two attempts, and that no file is lost or added. */
async function isRefused(
  t: ExecutionContext,
  code: 'SERVER_DATABASE_LOST' | 'SERVER_DATABASE_OLDER',
  data: string,
): Promise<string> {
  const before = (await readdir(data, { recursive: true })).sort();
  await expectOtaError(t, code, () => start(data));
  const { message, hint } = await expectOtaError(t, code, () => start(data));
  t.deepEqual((await readdir(data, { recursive: true })).sort(), before);
  t.true(message.includes(data), message);
  t.regex(hint, /ota-hooks server restore.*ota-hooks server check .* --repair/);
  return message;
}

test('starts again with its releases after a crash', async (t) => {
  const { data } = await crashedData(t);
  t.true(await exists(join(data, 'ota.db-wal')));
  const server = await startTestServer(t, { data });
  t.is(server.token, '', 'no token is created');
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
});

test('leaves one database file when it stops, and starts again with this file', async (t) => {
  const { folder, data } = await stoppedData(t);
  t.deepEqual(
    (await folder.list()).filter((name) => name.startsWith('data/ota.db')),
    ['data/ota.db'],
  );
  const server = await startTestServer(t, { data });
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
});

for (const lost of [['ota.db'], ['ota.db', 'ota.db-wal'], ['ota.db', 'ota.db-wal', 'ota.db-holder.txt']]) {
  test(`refuses to start when a crashed server has lost ${lost.join(', ')}`, async (t) => {
    const { data } = await crashedData(t);
    await lose(...lost.map((name) => join(data, name)));
    const blobs = await blobsIn(data);
    await isRefused(t, 'SERVER_DATABASE_LOST', data);
    t.deepEqual(await blobsIn(data), blobs);
  });
}

test('refuses to start when the database of a stopped server is missing or empty', async (t) => {
  const { folder, data } = await stoppedData(t);
  await lose(join(data, 'ota.db'));
  t.regex(await isRefused(t, 'SERVER_DATABASE_LOST', data), /The database is missing/);
  await folder.write('data/ota.db', '');
  await isRefused(t, 'SERVER_DATABASE_LOST', data);
});

test('refuses to start when a crashed server has lost its journal', async (t) => {
  const { data } = await crashedData(t);
  await lose(join(data, 'ota.db-wal'));
  t.regex(await isRefused(t, 'SERVER_DATABASE_OLDER', data), /journal ota\.db-wal is missing/);
});

test('refuses to start with an older copy of the database', async (t) => {
  const server = await startTestServer(t);
  await server.close(0);
  const old = await copyOf(t, server);
  const next = await server.restart();
  t.is((await next.publish(firstBuild, {}, server.token)).status, 201);
  await next.close(0);
  await cp(join(old.at('data'), 'ota.db'), join(server.folder, 'ota.db'));
  t.regex(await isRefused(t, 'SERVER_DATABASE_OLDER', server.folder), /is older than the firmware/);
});

test('refuses to start with a copy of the database made while the server was running', async (t) => {
  const server = await startTestServer(t);
  const old = await copyOf(t, server);
  await sealData(server.parts);
  await server.close(0);
  await cp(join(old.at('data'), 'ota.db'), join(server.folder, 'ota.db'));
  await isRefused(t, 'SERVER_DATABASE_OLDER', server.folder);
});

/** Data folder of a stopped server, and an older copy without its second release, its closed access and its revoked token. */
async function dataWithOlderCopy(t: ExecutionContext): Promise<{ data: string; old: string }> {
  const server = await startTestServer(t);
  t.is((await server.publish(firstBuild)).status, 201);
  await server.close(0);
  const old = await copyOf(t, server);
  const next = await server.restart();
  t.is((await next.publish(secondBuild, {}, server.token)).status, 201);
  t.is((await next.api('PUT', '/projects/door', { access: 'closed' }, server.token)).status, 200);
  await next.close(0);
  return { data: server.folder, old: old.at('data') };
}

const olderCopies: Readonly<Record<string, (paths: { data: string; old: string }) => Promise<void>>> = {
  'whose seal is removed': async ({ data }) => lose(...(await sealsIn(data))),
  'whose seal is emptied': async ({ data }) => {
    for (const path of await sealsIn(data)) await truncate(path, 0);
  },
  'whose seal is damaged': async ({ data }) => {
    for (const path of await sealsIn(data)) await writeFile(path, Buffer.alloc(1000, 0xff));
  },
  'that is copied over newer files': async ({ data, old }) => cp(old, data, { recursive: true }),
  'that is copied over newer files with its old times': async ({ data, old }) =>
    cp(old, data, { recursive: true, preserveTimestamps: true }),
  'with a seal of an older copy, but without its own': async ({ data, old }) => {
    await lose(...(await sealsIn(data)));
    await cp(old, data, { recursive: true });
    await lose(...(await sealsIn(data)));
  },
};

for (const [title, damage] of Object.entries(olderCopies)) {
  test(`refuses to start with an older copy of the database ${title}`, async (t) => {
    const { data, old } = await dataWithOlderCopy(t);
    await cp(join(old, 'ota.db'), join(data, 'ota.db'));
    await damage({ data, old });
    await isRefused(t, 'SERVER_DATABASE_OLDER', data);
    countAttacks({ kind: 'older copies of a database', tried: 1, withstood: 1 });
  });
}

test('refuses to start when the firmware folder is lost, and starts after a repair', async (t) => {
  const { folder, data } = await stoppedData(t);
  await rm(join(data, 'blobs'), { recursive: true });
  await expectOtaError(t, 'SERVER_DATABASE_OLDER', () => start(data));
  t.regex(await isRefused(t, 'SERVER_DATABASE_OLDER', data), /blobs lacks the file database-….txt/);
  t.not((await runCommand(['server', 'check', '--data', data, '--repair'], { cwd: folder.path })).exitCode, 0);
  const server = await startTestServer(t, { data });
  t.is((await requestAsDevice(server.port, '/update/door')).status, 503);
});

test('starts with a complete copy of a data folder, even without file times or after a move', async (t) => {
  const { folder, data } = await stoppedData(t);
  await cp(data, folder.at('copy'), { recursive: true });
  const server = await startTestServer(t, { data: folder.at('copy') });
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
});

test('starts with a complete older copy', async (t) => {
  const { old } = await dataWithOlderCopy(t);
  const server = await startTestServer(t, { data: old });
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
});

test('starts after a crash between the first seal of the database and that of the firmware files', async (t) => {
  const server = await startTestServer(t);
  const { id } = await identityOf(server);
  await server.parts.store.seal(() => ({ id, seals: 1 }));
  await server.close(0);
  await lose(...(await sealsIn(server.folder)));
  const next = await server.restart();
  t.is((await next.api('GET', '/projects', undefined, server.token)).status, 200);
});

test('starts after a crash between a seal of the database and that of the firmware files', async (t) => {
  const server = await startTestServer(t);
  await server.publish(firstBuild);
  const { id, seals } = await identityOf(server);
  await server.parts.store.seal(() => ({ id, seals: seals + 1 }));
  await server.close(0);
  const next = await server.restart();
  t.is((await requestAsDevice(next.port, '/update/door')).status, 200);
});

async function identityOf({ parts }: TestServer): Promise<DataIdentity> {
  const identity = await parts.store.identity();
  if (identity === undefined) throw new Error('the data was never sealed');
  return identity;
}

test('keeps the first token when the whole journal of the first minute is lost', async (t) => {
  const server = await startTestServer(t);
  const folder = await copyOf(t, server);
  await server.close(0);
  await truncate(folder.at('data/ota.db-wal'), 0);
  const next = await startTestServer(t, { data: folder.at('data') });
  t.is(next.token, '', 'no other token is created');
  t.is((await next.api('GET', '/projects', undefined, server.token)).status, 200);
});

test('never removes firmware whose upload is not recorded', async (t) => {
  const server = await startTestServer(t);
  const lostFile = Buffer.from('published, but its record is lost');
  const sha256 = await digestOf(lostFile);
  await mkdir(join(server.folder, 'blobs', sha256.slice(0, 2)), { recursive: true });
  await writeFile(join(server.folder, 'blobs', sha256.slice(0, 2), sha256), lostFile);
  await removeOrphans(server.parts, Date.now() + 60_000);
  t.true((await server.parts.blobs.state(sha256)).complete);
});

test('never removes firmware that was uploaded before the repaired state and published after it', async (t) => {
  const server = await startTestServer(t);
  const later = Buffer.from('published after the copy');
  await upload(server.url, later, server.token);
  await server.close(0);
  await lose(...(await sealsIn(server.folder)));
  const { path } = await testFolder(t);
  await runCommand(['server', 'check', '--data', server.folder, '--repair'], { cwd: path });
  const next = await server.restart();
  await removeOrphans(next.parts, Date.now() + 60_000);
  t.true((await next.parts.blobs.state(await digestOf(later))).complete);
});

test("refuses to start with another server's database", async (t) => {
  const [one, other] = [await stoppedData(t), await stoppedData(t)];
  await cp(join(other.data, 'ota.db'), join(one.data, 'ota.db'));
  t.regex(await isRefused(t, 'SERVER_DATABASE_OLDER', one.data), /belong to different servers/);
});

test('refuses to back up a folder whose database is lost or to create a token in it', async (t) => {
  const { folder, data } = await stoppedData(t);
  await lose(join(data, 'ota.db'));
  for (const argv of [
    ['server', 'backup', '--data', data, '--out', folder.at('backup.ndjson')],
    ['server', 'tokens', 'create', '--data', data],
  ]) {
    const { error } = await runCommand(argv, { cwd: folder.path });
    t.is(error?.code, 'SERVER_DATABASE_LOST', argv.join(' '));
  }
  t.false(await exists(join(data, 'ota.db')));
  t.false(await exists(folder.at('backup.ndjson')));
});

test('restores a backup into a folder whose database is lost', async (t) => {
  const server = await startTestServer(t);
  await server.publish(firstBuild);
  await server.close(0);
  const { path } = await testFolder(t);
  const backup = join(path, 'backup.ndjson');
  t.is((await runCommand(['server', 'backup', '--data', server.folder, '--out', backup], { cwd: path })).exitCode, 0);
  await lose(join(server.folder, 'ota.db'));
  await expectOtaError(t, 'SERVER_DATABASE_LOST', () => start(server.folder));
  const restored = await runCommand(['server', 'restore', backup, '--data', server.folder], { cwd: path });
  t.is(restored.exitCode, 0, restored.error?.message);
  const next = await startTestServer(t, { data: server.folder });
  t.is((await requestAsDevice(next.port, '/update/door')).status, 200);
  t.is((await next.api('GET', '/projects', undefined, server.token)).status, 200, 'the tokens are back');
});

test('keeps firmware that is older than the database, and removes newer unused uploads', async (t) => {
  const server = await startTestServer(t);
  await server.publish(firstBuild);
  await server.close(0);
  const { path } = await testFolder(t);
  const backup = join(path, 'backup.ndjson');
  await runCommand(['server', 'backup', '--data', server.folder, '--out', backup], { cwd: path });
  const next = await server.restart();
  t.is((await next.publish(secondBuild, {}, server.token)).status, 201, 'the backup does not contain it');
  await next.close(0);
  await lose(join(server.folder, 'ota.db'));
  await runCommand(['server', 'restore', backup, '--data', server.folder], { cwd: path });

  const last = await startTestServer(t, { data: server.folder });
  const unused = Buffer.from('never published');
  await upload(last.url, unused, server.token);
  await removeOrphans(last.parts, Date.now() + 60_000);
  const isThere = async (sha256: string) => (await last.parts.blobs.state(sha256)).complete;
  for (const { sha256 } of secondBuild.manifest.artifacts) t.true(await isThere(sha256));
  t.false(await isThere(await digestOf(unused)));
  t.is((await last.publish(secondBuild, {}, server.token)).status, 201, 'nothing has to be uploaded again');
});
