import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ExecutionContext, TestFn } from 'ava';
import type { BlobStore } from '../../../src/server/storage/blob-store.ts';

/** Blob store for one test. The test can reopen the store. */
interface TestBlobs {
  readonly blobs: BlobStore;
  /** Reopens the blob store. */
  reopen(): Promise<BlobStore>;
}

/** Behavior that every blob store must have. */
export function blobContract(test: TestFn, name: string, open: (t: ExecutionContext) => Promise<TestBlobs>): void {
  const blobTest = (title: string, run: (t: ExecutionContext, opened: TestBlobs) => Promise<void>) =>
    test(`${name}: ${title}`, async (t) => run(t, await open(t)));

  blobTest('resumes an upload where it stopped, and completes it when the digest matches', async (t, opened) => {
    const bytes = randomBytes(50_000);
    const sha256 = digestOf(bytes);
    const { blobs } = opened;
    t.deepEqual(await blobs.state(sha256), { sha256, offset: 0, complete: false });
    await blobs.append(sha256, piece(bytes, 0, 20_000));
    t.is(await blobs.append(sha256, piece(bytes, 30_000, 40_000)), 'offset');
    t.is(await blobs.read(sha256), undefined);
    t.is((await blobs.pending()).bytes, 20_000);
    const again = await opened.reopen();
    t.is((await again.state(sha256)).offset, 20_000);
    t.deepEqual(await again.append(sha256, piece(bytes, 20_000, 50_000)), { sha256, offset: 50_000, complete: true });
    t.deepEqual(await again.append(sha256, piece(bytes, 0, 50_000)), { sha256, offset: 50_000, complete: true });
    t.deepEqual(Buffer.from((await again.read(sha256)) ?? []), bytes);
    t.is((await again.pending()).bytes, 0);
    await again.remove(sha256);
    t.is(await again.read(sha256), undefined);
  });

  blobTest('drops an upload whose bytes do not match the digest', async (t, { blobs }) => {
    const bytes = randomBytes(1000);
    const sha256 = digestOf(bytes);
    t.is(await blobs.append(sha256, piece(Buffer.alloc(1000), 0, 1000)), 'digest-mismatch');
    t.is((await blobs.state(sha256)).offset, 0);
    const longer: AsyncIterable<Uint8Array> = chunksOf(Buffer.concat([bytes, bytes]));
    t.is(await blobs.append(sha256, { offset: 0, totalBytes: 1000, chunks: longer }), 'digest-mismatch');
    t.deepEqual(await blobs.append(sha256, piece(bytes, 0, 1000)), { sha256, offset: 1000, complete: true });
  });

  blobTest('stores a blob correctly when several clients upload it at the same time', async (t, { blobs }) => {
    const bytes = randomBytes(200_000);
    const sha256 = digestOf(bytes);
    await Promise.all([1, 2, 3].map(() => blobs.append(sha256, piece(bytes, 0, bytes.length))));
    t.deepEqual(Buffer.from((await blobs.read(sha256)) ?? []), bytes);
  });

  blobTest(
    'never reports a wrong digest when one uploader sends a blob twice at the same time',
    async (t, { blobs }) => {
      const bytes = randomBytes(2_500_000);
      const sha256 = digestOf(bytes);
      const send = () => blobs.append(sha256, { ...piece(bytes, 0, bytes.length), uploader: 'abc' });
      const outcomes = await Promise.all([1, 2, 3, 4].map(send));
      const whole = { sha256, offset: bytes.length, complete: true };
      t.true(outcomes.some((outcome) => isDeepStrictEqual(outcome, whole)));
      t.deepEqual(
        outcomes.filter((outcome) => outcome !== 'offset' && !isDeepStrictEqual(outcome, whole)),
        [],
      );
      t.deepEqual(Buffer.from((await blobs.read(sha256)) ?? []), bytes);
    },
  );

  blobTest('keeps the bytes that arrived before a connection was lost', async (t, opened) => {
    const bytes = randomBytes(2_500_000);
    const sha256 = digestOf(bytes);
    const interrupted = async function* () {
      yield* chunksOf(bytes.subarray(0, 1_500_000));
      throw new Error('connection lost');
    };
    const first = { offset: 0, totalBytes: bytes.length, chunks: interrupted(), uploader: 'abc' };
    await t.throwsAsync(() => opened.blobs.append(sha256, first), { message: 'connection lost' });
    const again = await opened.reopen();
    t.deepEqual(await again.state(sha256, 'abc'), { sha256, offset: 1_500_000, complete: false });
    const rest = { ...piece(bytes, 1_500_000, bytes.length), uploader: 'abc' };
    t.deepEqual(await again.append(sha256, rest), { sha256, offset: bytes.length, complete: true });
    t.is(digestOf((await again.read(sha256)) ?? Buffer.alloc(0)), sha256);
    t.deepEqual(await again.pending(), { bytes: 0, files: 0 });
  });

  blobTest('keeps the unfinished uploads of two uploaders apart', async (t, { blobs }) => {
    const bytes = randomBytes(1000);
    const sha256 = digestOf(bytes);
    await blobs.append(sha256, { ...piece(bytes, 0, 300), uploader: 'abc' });
    await blobs.append(sha256, { ...piece(bytes, 0, 200), uploader: 'def' });
    t.is((await blobs.state(sha256, 'abc')).offset, 300);
    t.is((await blobs.state(sha256)).offset, 0);
    t.deepEqual(await blobs.pending('def'), { bytes: 200, files: 1 });
    t.deepEqual(await blobs.pending(), { bytes: 500, files: 2 });
    const uploaders = (await blobs.olderThan(Number.POSITIVE_INFINITY)).map(({ uploader }) => uploader);
    t.deepEqual(uploaders.toSorted(), ['abc', 'def']);
    await blobs.remove(sha256, 'abc');
    t.is((await blobs.state(sha256, 'def')).offset, 200);
    await blobs.remove(sha256);
    t.deepEqual(await blobs.pending(), { bytes: 0, files: 0 });
  });

  blobTest('requires all bytes of a blob that already exists', async (t, { blobs }) => {
    const bytes = randomBytes(1000);
    const sha256 = digestOf(bytes);
    await blobs.append(sha256, piece(bytes, 0, 1000));
    t.like(await blobs.append(sha256, { ...piece(bytes, 0, 400), uploader: 'abc' }), { offset: 400, complete: false });
    const other = { ...piece(Buffer.alloc(1000), 400, 1000), uploader: 'abc' };
    t.is(await blobs.append(sha256, other), 'digest-mismatch');
    t.like(await blobs.append(sha256, { ...piece(bytes, 0, 1000), uploader: 'abc' }), { complete: true });
    t.deepEqual(Buffer.from((await blobs.read(sha256)) ?? []), bytes);
  });

  blobTest('stores an empty blob', async (t, { blobs }) => {
    const sha256 = digestOf(Buffer.alloc(0));
    t.deepEqual(await blobs.append(sha256, piece(Buffer.alloc(0), 0, 0)), { sha256, offset: 0, complete: true });
    t.is((await blobs.read(sha256))?.length, 0);
    t.true((await blobs.state(sha256)).complete);
  });

  blobTest('provides blobs as files', async (t, { blobs }) => {
    const all = [randomBytes(1000), randomBytes(2000)];
    for (const bytes of all) await blobs.append(digestOf(bytes), piece(bytes, 0, bytes.length));
    const read = await blobs.withFiles(all.map(digestOf), (paths) =>
      Promise.all(all.map((bytes) => readFile(paths.get(digestOf(bytes)) ?? ''))),
    );
    t.deepEqual(read, all);
  });

  blobTest('lists complete and unfinished uploads by age', async (t, { blobs }) => {
    const [whole, part] = [randomBytes(1000), randomBytes(1000)];
    await blobs.append(digestOf(whole), piece(whole, 0, 1000));
    await blobs.append(digestOf(part), piece(part, 0, 400));
    t.deepEqual(await blobs.olderThan(0), []);
    const found = new Map((await blobs.olderThan(Number.POSITIVE_INFINITY)).map((state) => [state.sha256, state]));
    t.is(found.size, 2);
    t.like(found.get(digestOf(whole)), { offset: 1000, complete: true });
    t.like(found.get(digestOf(part)), { offset: 400, complete: false });
  });

  blobTest('keeps only the newest seal, and does not list it as a blob', async (t, opened) => {
    t.deepEqual(await opened.blobs.seals(), []);
    for (const seals of [1, 2, 2, 10]) await opened.blobs.setSeal({ database: 'a-1', seals });
    const again = await opened.reopen();
    t.deepEqual(await again.seals(), [{ database: 'a-1', seals: 10 }]);
    await again.setSeal({ database: 'b-2', seals: 3 });
    t.deepEqual(await again.seals(), [{ database: 'b-2', seals: 3 }]);
    t.deepEqual(await again.olderThan(Number.POSITIVE_INFINITY), []);
  });
}

function piece(bytes: Uint8Array, from: number, to: number) {
  return { offset: from, totalBytes: bytes.length, chunks: chunksOf(bytes.subarray(from, to)) };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 7000) yield bytes.subarray(offset, offset + 7000);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
