import { appendFile, cp, mkdir, readdir, readFile, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import Database from 'libsql';
import { requestAsDevice } from '../../server/raw-device.ts';
import { digestOf, startTestServer, upload } from '../../server/running-server.ts';
import { folderOnOtherFileSystem, hasOtherFileSystem } from '../../support/other-file-system.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { crashedData, exists, firstBuild, lose, stoppedData } from './data-folder.ts';

interface CheckOutput {
  readonly problems: readonly { readonly kind: string; readonly message: string }[];
  readonly records: Readonly<Record<string, number>>;
  readonly blobs: { readonly complete: number; readonly unused: number; readonly unfinished: number };
  readonly repair?: { readonly backup: string; readonly changes: readonly string[] };
}

interface Check extends CommandRun {
  readonly output: CheckOutput;
  readonly kinds: readonly string[];
}

async function check(data: string, ...more: readonly string[]): Promise<Check> {
  const run = await runCommand(['server', 'check', '--data', data, '--json', ...more], { cwd: '/' });
  // A check that did not start prints only its error.
  const output: CheckOutput = { problems: [], records: {}, blobs: {}, ...JSON.parse(run.stdout) };
  return { ...run, output, kinds: [...new Set(output.problems.map(({ kind }) => kind))] };
}

/** Checks that the command finds these kinds of damage, and that it changes nothing. */
async function finds(t: ExecutionContext, data: string, kinds: readonly string[]): Promise<void> {
  const before = await snapshot(data);
  const found = await check(data);
  t.deepEqual(found.kinds, kinds, JSON.stringify(found.output.problems));
  t.is(found.exitCode, kinds.length === 0 ? 0 : 1);
  t.is(found.error?.code, kinds.length === 0 ? undefined : 'SERVER_DATA_DAMAGED');
  t.deepEqual(await snapshot(data), before);
}

/** Repairs the data, and checks that the copy of the database is complete. */
async function repair(t: ExecutionContext, data: string, left: readonly string[] = []): Promise<Check> {
  const before = await readFile(join(data, 'ota.db')).catch(() => undefined);
  const repaired = await check(data, '--repair');
  t.deepEqual(repaired.kinds, left, JSON.stringify(repaired.output));
  t.is(repaired.exitCode, left.length === 0 ? 0 : 1);
  t.true((repaired.output.repair?.changes.length ?? 0) > 0);
  const backup = repaired.output.repair?.backup ?? '';
  t.true(backup.startsWith(data));
  if (before !== undefined) t.deepEqual(await readFile(join(backup, 'ota.db')), before);
  return repaired;
}

async function snapshot(data: string): Promise<readonly string[]> {
  const names = (await readdir(data, { recursive: true })).sort();
  return Promise.all(
    names.map(async (name) => {
      const found = await stat(join(data, name));
      const content = found.isFile() ? await digestOf(await readFile(join(data, name))) : '';
      return `${name} ${found.mtimeMs} ${content}`;
    }),
  );
}

function change(data: string, sql: string): void {
  const database = new Database(join(data, 'ota.db'));
  database.exec(sql);
  database.close();
}

async function serves(t: ExecutionContext, data: string): Promise<void> {
  const server = await startTestServer(t, { data });
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
}

const [artifact] = firstBuild.manifest.artifacts;
const blobOf = (data: string) => join(data, 'blobs', artifact?.sha256.slice(0, 2) ?? '', artifact?.sha256 ?? '');

test('finds nothing in the data of a stopped, a crashed and a running server', async (t) => {
  const { data } = await stoppedData(t);
  await finds(t, data, []);
  await finds(t, (await crashedData(t)).data, []);
  const server = await startTestServer(t, { data });
  await upload(server.url, Buffer.from('unused'), (await crashedData(t)).token);
  const { exitCode, output } = await check(data);
  t.is(exitCode, 0);
  t.is(output.records['releases'], 1);
  t.is(output.blobs.complete, firstBuild.manifest.artifacts.length);
});

test('counts unused and unfinished uploads without reporting them as damage', async (t) => {
  const server = await startTestServer(t);
  await upload(server.url, Buffer.from('unused'), server.token);
  await server.close(0);
  await writeFile(join(server.folder, 'uploads', `${'a'.repeat(64)}.part`), 'half');
  const copied = 'b'.repeat(64);
  await mkdir(join(server.folder, 'blobs', 'bb'), { recursive: true });
  await writeFile(join(server.folder, 'blobs', 'bb', `${copied}.part`), 'half');
  const { exitCode, output } = await check(server.folder);
  t.is(exitCode, 0);
  t.like(output.blobs, { complete: 1, unused: 1, unfinished: 2 });
});

test('reports a folder without server data', async (t) => {
  const { path } = await testFolder(t);
  t.is((await check(path)).error?.code, 'FILE_NOT_FOUND');
  t.is((await check(join(path, 'missing'))).error?.code, 'FILE_NOT_FOUND');
  t.deepEqual(await readdir(path), []);
});

test('finds a missing or empty database, and keeps the firmware in a repair', async (t) => {
  const { folder, data } = await stoppedData(t);
  await lose(join(data, 'ota.db'));
  await finds(t, data, ['database-missing']);
  await folder.write('data/ota.db', '');
  await finds(t, data, ['database-missing']);
  await repair(t, data);
  const server = await startTestServer(t, { data });
  t.not(server.token, '', 'it is a new server');
  t.like(await server.parts.blobs.state(artifact?.sha256 ?? ''), { complete: true });
});

test('finds a lost journal, an older database and the database of a different server, and accepts them in a repair', async (t) => {
  const { data } = await crashedData(t);
  await lose(join(data, 'ota.db-wal'));
  await finds(t, data, ['changes-lost']);
  await repair(t, data);
  const server = await startTestServer(t, { data });
  t.like(await server.parts.blobs.state(artifact?.sha256 ?? ''), { complete: true });
  await server.close(0);

  const old = await testFolder(t);
  await cp(join(data, 'ota.db'), old.at('ota.db'));
  await (await startTestServer(t, { data })).close(0);
  await cp(old.at('ota.db'), join(data, 'ota.db'));
  await finds(t, data, ['changes-lost']);
  await repair(t, data);
  await finds(t, data, []);

  const other = await stoppedData(t);
  await cp(join(other.data, 'ota.db'), join(data, 'ota.db'));
  await finds(t, data, ['changes-lost']);
  await repair(t, data);
  await serves(t, data);
});

test('finds damaged, truncated and missing firmware files, and files that the server did not write', async (t) => {
  for (const damage of [
    (path: string) => writeFile(path, 'not firmware'),
    (path: string) => truncate(path, 100),
    (path: string) => appendFile(path, 'x'),
  ]) {
    const { data } = await stoppedData(t);
    await damage(blobOf(data));
    await finds(t, data, ['blob-damaged']);
    const { output } = await repair(t, data, ['blob-missing']);
    t.true(
      await exists(
        join(output.repair?.backup ?? '', 'blobs', artifact?.sha256.slice(0, 2) ?? '', artifact?.sha256 ?? ''),
      ),
    );
  }
  const { data, token } = await stoppedData(t);
  await lose(blobOf(data));
  await writeFile(join(data, 'blobs', 'notes.txt'), 'not firmware');
  await finds(t, data, ['file-unknown', 'blob-missing']);
  await repair(t, data, ['blob-missing']);
  const server = await startTestServer(t, { data });
  await server.publish(firstBuild, {}, token);
  await finds(t, data, []);
});

(hasOtherFileSystem ? test : test.skip)('repairs firmware on a different file system', async (t) => {
  const { data } = await stoppedData(t);
  const elsewhere = await folderOnOtherFileSystem(t);
  await cp(join(data, 'blobs'), elsewhere, { recursive: true });
  await rename(join(data, 'blobs'), join(data, 'blobs-before'));
  await symlink(elsewhere, join(data, 'blobs'));
  await writeFile(blobOf(data), 'not firmware');
  const { output } = await repair(t, data, ['blob-missing']);
  t.true(await exists(join(output.repair?.backup ?? '', blobOf(data).slice(data.length))));
  t.false(await exists(blobOf(data)));
});

test('finds records that the server would not write, and removes only these records in a repair', async (t) => {
  const { data } = await stoppedData(t);
  const device = (mac: string, doc: string) =>
    `INSERT INTO devices (project_id, mac, revision, retention, doc, status, channels, enrolled)
       VALUES (1, '${mac}', 1, 0, '${doc}', 'unknown', 'stable', 1);`;
  const sound = '{"enrolled":true,"decisions":{},"attempts":[]}';
  change(data, device('18:FE:34:00:00:01', sound) + device('18:FE:34:00:00:02', '{"enrolled":tr'));
  change(data, "UPDATE audit SET detail = 'null' WHERE id = 1");
  await finds(t, data, ['record-invalid']);
  const { output } = await repair(t, data);
  t.true(
    output.repair?.changes.some((line) => /^Dropped devices 1 18:FE:34:00:00:02: doc: it is not JSON$/.test(line)),
  );
  t.is(output.records['devices'], 1);
  await serves(t, data);
});

test('finds records without the records that they refer to', async (t) => {
  const { data } = await stoppedData(t);
  change(data, 'PRAGMA foreign_keys = OFF; DELETE FROM releases');
  const found = await check(data);
  t.true(found.kinds.includes('record-unconnected'), found.stdout);
  t.is(found.exitCode, 1);
  await repair(t, data);
});

test('finds a database that a newer version created, and leaves the database unchanged', async (t) => {
  const { data } = await stoppedData(t);
  change(data, "INSERT INTO ota_hooks_migrations VALUES ('9999-future', '9.0.0')");
  await finds(t, data, ['database-newer']);
});

test('does not repair the data of a running server', async (t) => {
  const server = await startTestServer(t);
  await server.publish(firstBuild);
  await writeFile(join(server.folder, 'blobs', 'notes.txt'), 'not firmware');
  const { error } = await check(server.folder, '--repair');
  t.is(error?.code, 'SERVER_DATA_IN_USE');
  t.true(await exists(join(server.folder, 'blobs', 'notes.txt')));
  t.false((await readdir(server.folder)).some((name) => name.startsWith('before-repair')));
});
