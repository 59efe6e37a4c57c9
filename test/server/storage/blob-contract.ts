import { createHash, randomBytes } from 'node:crypto';
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
