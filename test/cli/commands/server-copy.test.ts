import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { copyData } from '../../../src/server/services/copy-data.ts';
import type { BlobStore } from '../../../src/server/storage/blob-store.ts';
import { openBlobs } from '../../../src/server/storage/open-blobs.ts';
import { openStore } from '../../../src/server/storage/open-store.ts';
import type { Store } from '../../../src/server/storage/store.ts';
import { testBuild, testSigner } from '../../server/builds.ts';
import { requestAsDevice } from '../../server/raw-device.ts';
import { startTestServer, type TestServer } from '../../server/running-server.ts';
import { usedAuthority } from '../../server/tls/authority.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const build = await testBuild({ version: '2.0', project: 'door', signer: testSigner(), seed: 2, sizeBytes: 300_000 });

/** The folder of a stopped server with a release and a device. */
async function stoppedServer(t: ExecutionContext): Promise<TestServer> {
  const server = await startTestServer(t);
  t.is((await server.publish(build)).status, 201);
  t.is((await requestAsDevice(server.port, '/update/door')).status, 200);
  await server.close(0);
  return server;
}

/** Options for stores that need no other programs, in a folder. */
function targetIn({ path }: TestFolder): readonly string[] {
  return ['--to-database', `sqlite:${path}/copy/ota.db`, '--to-blobs', `file:${path}/copy`];
}

/** Digest of the names and bytes of all files in a folder. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(folder, { recursive: true, withFileTypes: true })).toSorted(byPath)) {
    const path = join(entry.parentPath, entry.name);
    hash.update(`${path}\n`);
    if (entry.isFile()) hash.update(await readFile(path));
  }
  return hash.digest('hex');
}

function byPath(a: Dirent, b: Dirent): number {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}

test('server copy copies all data, and leaves the source unchanged', async (t) => {
  const server = await stoppedServer(t);
  const before = await digestOf(server.folder);
  const folder = await testFolder(t);
  const argv = ['server', 'copy', '--from', server.folder, ...targetIn(folder)];
  const { exitCode, stdout, stderr, error } = await runCommand([...argv, '--json'], { cwd: folder.path });
  t.is(exitCode, 0, `${error?.message} ${stderr}`);
  const result = JSON.parse(stdout);
  t.like(result, { wasCopied: false, records: { devices: 1, releases: 1, tokens: 1 }, blobs: { files: 4 } });
  t.is(await digestOf(server.folder), before);

  const check = await runCommand(['server', 'check', '--data', 'copy'], { cwd: folder.path });
  t.is(check.exitCode, 0, check.stderr);
  const copy = await startTestServer(t, { data: folder.at('copy') });
  t.is((await copy.api('GET', '/projects/door/devices', undefined, server.token)).status, 200, 'the token is valid');
  const again = { mac: '5C:CF:7F:00:00:02' };
  const response = await requestAsDevice(copy.port, '/update/door', again);
  t.is(response.status, 200);
  t.is(response.header('x-md5'), response.md5);
});

test('server copy can be repeated until the copy is in use', async (t) => {
  const server = await stoppedServer(t);
  const folder = await testFolder(t);
  const run = () => runCommand(['server', 'copy', '--from', server.folder, ...targetIn(folder)], { cwd: folder.path });
  t.is((await run()).exitCode, 0);
  const second = await run();
  t.is(second.exitCode, 0, second.error?.message);
  t.regex(second.stderr, /Already copied and identical: \d+ records and 4 firmware files/);
  const copy = await startTestServer(t, { data: folder.at('copy') });
  await requestAsDevice(copy.port, '/update/door', { mac: '5C:CF:7F:00:00:02' });
  await copy.close(0);
  const third = await run();
  t.is(third.error?.code, 'COPY_TARGET_USED');
  t.regex(third.error?.message ?? '', /the target differs from the source \(table /);
});

/** Stores whose next write of a kind fails, as if the process had been killed. */
async function copyWith(from: string, folder: TestFolder, broken: (stores: Stores) => Partial<BlobStore & Store>) {
  const store = await openStore(`sqlite:${folder.at('copy/ota.db')}`, 'a test');
  const blobs = await openBlobs(`file:${folder.at('copy')}`);
  const replaced = broken({ store, blobs });
  try {
    await copyData(from, { store: { ...store, ...replaced }, blobs: { ...blobs, ...replaced } }, () => undefined);
  } finally {
    await store.close();
  }
}

interface Stores {
  readonly store: Store;
  readonly blobs: BlobStore;
}

test('server copy continues a copy that was interrupted at any step', async (t) => {
  const server = await stoppedServer(t);
  const folder = await testFolder(t);
  const killed = new Error('killed');
  const fail = () => Promise.reject(killed);
  let appended = 0;
  const steps: readonly ((stores: Stores) => Partial<BlobStore & Store>)[] = [
    // In the second blob.
    ({ blobs }) => ({
      append: (sha256, piece) =>
        ++appended < 2
          ? blobs.append(sha256, piece)
          : blobs.append(sha256, { ...piece, chunks: firstBytes(piece.chunks, killed) }),
    }),
    () => ({ restore: fail }),
    // In the transaction, after some records.
    ({ store }) => ({
      restore: (lines) =>
        store.restore(
          (async function* () {
            let count = 0;
            for await (const line of lines) {
              if (++count === 4) throw killed;
              yield line;
            }
          })(),
        ),
    }),
    // After all records.
    () => ({ seal: fail }),
  ];
  for (const step of steps) await t.throwsAsync(() => copyWith(server.folder, folder, step), { is: killed });
  const argv = ['server', 'copy', '--from', server.folder, ...targetIn(folder)];
  const { exitCode, error } = await runCommand(argv, { cwd: folder.path });
  t.is(exitCode, 0, error?.message);
  t.is((await runCommand(['server', 'check', '--data', 'copy'], { cwd: folder.path })).exitCode, 0);
  const copy = await startTestServer(t, { data: folder.at('copy') });
  t.is((await copy.api('GET', '/projects/door/devices', undefined, server.token)).status, 200);
});

async function* firstBytes(chunks: AsyncIterable<Uint8Array>, error: Error): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk.subarray(0, 1000);
    throw error;
  }
}

test('server copy rejects a target of a different server', async (t) => {
  const server = await stoppedServer(t);
  const folder = await testFolder(t);
  const other = await startTestServer(t, { data: folder.at('copy') });
  await other.close(0);
  const run = () => runCommand(['server', 'copy', '--from', server.folder, ...targetIn(folder)], { cwd: folder.path });
  t.regex((await run()).error?.message ?? '', /the database contains the data of a different server/);
  t.is((await runCommand(['server', 'check', '--data', 'copy'], { cwd: folder.path })).exitCode, 0);
  await rm(folder.at('copy/ota.db'));
  t.regex((await run()).error?.message ?? '', /the bucket contains the files of a different server/);
});

test('server copy rejects a damaged source', async (t) => {
  const server = await stoppedServer(t);
  const [artifact] = build.manifest.artifacts;
  const sha256 = artifact?.sha256 ?? '';
  await writeFile(join(server.folder, 'blobs', sha256.slice(0, 2), sha256), 'damaged');
  const folder = await testFolder(t);
  const argv = ['server', 'copy', '--from', server.folder, ...targetIn(folder)];
  const { error } = await runCommand(argv, { cwd: folder.path });
  t.is(error?.code, 'SERVER_DATA_DAMAGED');
});

test('server copy names the folder with the certificate authority, which it does not copy', async (t) => {
  const authority = await usedAuthority(t);
  const server = await stoppedServer(t);
  const folder = await testFolder(t);
  await cp(authority.at('tls'), join(server.folder, 'tls'), { recursive: true });
  const argv = ['server', 'copy', '--from', server.folder, ...targetIn(folder)];
  const { stderr } = await runCommand(argv, { cwd: folder.path });
  t.regex(stderr, /Not copied: .*tls\. Copy this folder into the data folder of each server\./);
});

test('server copy requires both stores', async (t) => {
  const folder = await testFolder(t);
  for (const [env, hint] of [
    [{}, 'Add --to-database URL.'],
    [{ OTA_DATABASE_URL: 'sqlite:copy.db' }, 'Add --to-blobs URL.'],
  ] as const) {
    const { error } = await runCommand(['server', 'copy', '--from', 'data'], { cwd: folder.path, env });
    t.is(error?.hint, hint);
  }
});
