import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { folderBlobs } from '../../../src/server/storage/blobs/folder-blobs.ts';
import { folderOnOtherFileSystem, hasOtherFileSystem } from '../../support/other-file-system.ts';
import { testFolder } from '../../support/test-folder.ts';
import { blobContract } from './blob-contract.ts';

blobContract(test, 'folder', async (t) => {
  const { path } = await testFolder(t);
  return { blobs: await folderBlobs(path), reopen: () => folderBlobs(path) };
});

/** Data folder whose `blobs` are on a different file system than its `uploads`. */
async function dividedFolder(t: ExecutionContext): Promise<string> {
  const { path } = await testFolder(t);
  const elsewhere = await folderOnOtherFileSystem(t);
  await symlink(elsewhere, join(path, 'blobs'));
  t.not((await stat(elsewhere)).dev, (await stat(path)).dev);
  return path;
}

const dividedTest = hasOtherFileSystem ? test : test.skip;

if (hasOtherFileSystem) {
  blobContract(test, 'folder on two file systems', async (t) => {
    const path = await dividedFolder(t);
    return { blobs: await folderBlobs(path), reopen: () => folderBlobs(path) };
  });
}

dividedTest('hides a blob that could not be copied to its file system, and completes it on a retry', async (t) => {
  const path = await dividedFolder(t);
  const blobs = await folderBlobs(path);
  const bytes = randomBytes(100_000);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const finalName = join(path, 'blobs', sha256.slice(0, 2), sha256);
  // A folder with the name of the copy makes copying fail.
  await mkdir(`${finalName}.part/x`, { recursive: true });
  const chunks = async function* () {
    yield bytes;
  };
  const piece = { offset: 0, totalBytes: bytes.length, chunks: chunks() };
  await t.throwsAsync(async () => blobs.append(sha256, piece), { code: 'EISDIR' });
  t.deepEqual(await blobs.state(sha256), { sha256, offset: bytes.length, complete: false });
  t.is(await blobs.read(sha256), undefined);

  await rm(`${finalName}.part`, { recursive: true });
  const rest = { offset: bytes.length, totalBytes: bytes.length, chunks: (async function* () {})() };
  t.deepEqual(await blobs.append(sha256, rest), { sha256, offset: bytes.length, complete: true });
  t.deepEqual(Buffer.from((await blobs.read(sha256)) ?? []), bytes);
  t.deepEqual(await readdir(join(path, 'uploads')), []);
  t.deepEqual(await readdir(join(path, 'blobs', sha256.slice(0, 2))), [sha256]);
});

test('lists and removes an interrupted copy like an unfinished upload', async (t) => {
  const folder = await testFolder(t);
  const blobs = await folderBlobs(folder.path);
  const sha256 = 'ab'.repeat(32);
  await folder.write(`blobs/ab/${sha256}.part`, 'half');
  t.deepEqual(await blobs.olderThan(Number.POSITIVE_INFINITY), [{ sha256, offset: 0, complete: false }]);
  await blobs.remove(sha256);
  t.deepEqual(await folder.list(), []);
});

test('protects an old blob from removal when the blob is uploaded again', async (t) => {
  const { path } = await testFolder(t);
  const blobs = await folderBlobs(path);
  const bytes = randomBytes(1000);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const piece = () => ({
    offset: 0,
    totalBytes: bytes.length,
    chunks: (async function* () {
      yield bytes;
    })(),
  });
  await blobs.append(sha256, piece());
  await utimes(join(path, 'blobs', sha256.slice(0, 2), sha256), new Date(0), new Date(0));
  const isOld = async () => (await blobs.olderThan(60_000)).length === 1;
  t.true(await isOld());
  t.like(await blobs.append(sha256, { ...piece(), uploader: 'abc' }), { complete: true });
  t.false(await isOld());
  t.deepEqual(Buffer.from((await blobs.read(sha256)) ?? []), bytes);
});
