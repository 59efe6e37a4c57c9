import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import type { BlobStore, StoredBlob } from '../storage/blob-store.ts';
import { folderBlobs } from '../storage/blobs/folder-blobs.ts';
import { checkData } from '../storage/check/check-data.ts';
import { withDatabaseCopy } from '../storage/check/database-copy.ts';
import type { DataReport, ShowFraction } from '../storage/check/findings.ts';
import { sealData } from '../storage/data-identity.ts';
import { openStore } from '../storage/open-store.ts';
import type { DumpLine, Store } from '../storage/store.ts';
import { memberOf } from './rollouts/tally.ts';

/** Key of the row in the table `meta` of a copy that contains the identity of its source. */
const sourceKey = 'copied-from';
const chunkBytes = 256 * 1024;
/** Share of the progress for each step, estimated for a server with many devices. */
const steps = { check: 0.2, blobs: 0.2, records: 0.3, verification: 0.3 };

/** Records and blobs of a server. */
interface Stores {
  readonly store: Store;
  readonly blobs: BlobStore;
}

/** Result of a copy. */
export interface DataCopy {
  /** Number of records, by table. */
  readonly records: Readonly<Record<string, number>>;
  readonly blobs: { readonly files: number; readonly sizeBytes: number };
  /** True if the records had already been copied. */
  readonly wasCopied: boolean;
}

/**
 * Copies all records and blobs of a stopped server into empty stores, and compares the copy with the source. The blobs are copied first,
 * then all records in one transaction, so that an interrupted copy can be started again. Unfinished uploads and the files of the
 * certificate authority are not copied. Nothing in the source is changed, because the database is read from a temporary copy.
 *
 * @param folder data folder of the source
 * @throws OtaError COPY_SOURCE_RUNNING, COPY_TARGET_USED, SERVER_DATA_DAMAGED, and the errors of `checkData`
 */
export async function copyData(folder: string, target: Stores, show: ShowFraction): Promise<DataCopy> {
  const path = join(folder, 'ota.db');
  const holder = await readFile(`${path}-holder.txt`, 'utf8').catch(() => undefined);
  if (holder !== undefined) throw new OtaError('COPY_SOURCE_RUNNING', { path: folder, holder: holder.trim() });
  const report = await checkData(folder, memberOf, (fraction) => show(fraction * steps.check));
  const problems = report.problems.length;
  if (problems > 0) throw new OtaError('SERVER_DATA_DAMAGED', { path: folder, problems, isRepaired: false });
  const blobs = await folderBlobs(folder, { isReadOnly: true });
  return withDatabaseCopy(path, async (copyPath) => {
    const store = await openStore(`sqlite:${copyPath}`, 'ota-hooks server copy');
    try {
      return await copyStores({ store, blobs }, target, { report, show });
    } finally {
      await store.close();
    }
  });
}

interface Course {
  readonly report: DataReport;
  readonly show: ShowFraction;
}

async function copyStores(source: Stores, target: Stores, { report, show }: Course): Promise<DataCopy> {
  const id = (await source.store.identity())?.id ?? '';
  const before = await stateOf(target.store);
  if (!before.isEmpty && before.copiedFrom !== id) throw new OtaError('COPY_TARGET_USED', { reason: 'records' });
  const own = await target.store.identity();
  const seals = await target.blobs.seals();
  if (seals.some(({ database }) => database !== own?.id)) throw new OtaError('COPY_TARGET_USED', { reason: 'blobs' });

  const complete = (await source.blobs.olderThan(Number.POSITIVE_INFINITY)).filter((blob) => blob.complete);
  for (const [index, blob] of complete.entries()) {
    await copyBlob(blob, source.blobs, target.blobs);
    show(steps.check + (steps.blobs * (index + 1)) / complete.length);
  }
  const rows = Object.values(report.records).reduce((sum, count) => sum + count, 1);
  const showRows = (start: number, share: number) => (count: number) => show(start + share * Math.min(1, count / rows));
  if (before.isEmpty) await target.store.restore(copiedRows(source.store, id, showRows(0.4, steps.records)));
  await requireSame(source.store, target.store, showRows(0.7, steps.verification));
  for (const { sha256 } of complete) {
    if ((await target.blobs.read(sha256)) === undefined) throw changed(`firmware file ${sha256}`);
  }
  if (own === undefined) await sealData(target);
  const sizeBytes = complete.reduce((sum, { offset }) => sum + offset, 0);
  return { records: report.records, blobs: { files: complete.length, sizeBytes }, wasCopied: !before.isEmpty };
}

/** Reads the first rows: a copy begins with the row that names its source. */
async function stateOf(store: Store): Promise<{ readonly isEmpty: boolean; readonly copiedFrom?: string }> {
  let isEmpty = true;
  for await (const { table, row } of store.dump()) {
    if (table !== 'meta') return { isEmpty: false };
    if (row['key'] === sourceKey) return { isEmpty: false, copiedFrom: String(row['value']) };
    isEmpty = false;
  }
  return { isEmpty };
}

/** Copies a blob, or the rest of a blob whose copy was interrupted. */
async function copyBlob(
  { sha256, offset: totalBytes }: StoredBlob,
  source: BlobStore,
  target: BlobStore,
): Promise<void> {
  const { complete, offset } = await target.state(sha256);
  if (complete) return;
  const bytes = await source.read(sha256);
  if (bytes === undefined) throw changed(`firmware file ${sha256} of the source`);
  const result = await target.append(sha256, { offset, totalBytes, chunks: chunksOf(bytes.subarray(offset)) });
  if (typeof result === 'string' || !result.complete) throw changed(`firmware file ${sha256}`);
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

/** Yields the rows of a copy. The row that names the source is in the same transaction as all others. */
async function* copiedRows(store: Store, id: string, show: (count: number) => void): AsyncGenerator<DumpLine> {
  yield { table: 'meta', row: { key: sourceKey, value: id } };
  let count = 0;
  for await (const line of store.dump()) {
    if (!isSource(line)) yield line;
    show(++count);
  }
}

/** @throws OtaError COPY_TARGET_USED */
async function requireSame(source: Store, target: Store, show: (count: number) => void): Promise<void> {
  const wanted = await tableDigests(source, (count) => show(count / 2));
  const found = await tableDigests(target, (count) => show(count / 2));
  for (const table of new Set([...wanted.keys(), ...found.keys()])) {
    if (wanted.get(table) !== found.get(table)) throw changed(`table ${table}`);
  }
}

/**
 * Returns the number of rows and a digest for each table. The digest is the sum of the rows' digests, because each engine sorts text in a
 * different way.
 */
async function tableDigests(store: Store, show: (count: number) => void): Promise<ReadonlyMap<string, string>> {
  const sums = new Map<string, { rows: number; sum: bigint }>();
  let count = 0;
  for await (const line of store.dump()) {
    show(++count);
    if (isSource(line)) continue;
    const text = JSON.stringify(Object.entries(line.row).sort(([a], [b]) => (a < b ? -1 : 1)));
    const { rows, sum } = sums.get(line.table) ?? { rows: 0, sum: 0n };
    sums.set(line.table, { rows: rows + 1, sum: sum + BigInt(`0x${createHash('sha256').update(text).digest('hex')}`) });
  }
  return new Map([...sums].map(([table, { rows, sum }]) => [table, `${rows} ${sum}`]));
}

function isSource({ table, row }: DumpLine): boolean {
  return table === 'meta' && row['key'] === sourceKey;
}

function changed(what: string): OtaError {
  return new OtaError('COPY_TARGET_USED', { reason: 'changed', what });
}
