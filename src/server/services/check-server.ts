import type { BlobStore } from '../storage/blob-store.ts';
import { checkData } from '../storage/check/check-data.ts';
import { checkRows } from '../storage/check/check-rows.ts';
import type { DataProblem, DataReport, ShowFraction } from '../storage/check/findings.ts';
import { type Repair, recounted, repairData } from '../storage/check/repair-data.ts';
import type { Store } from '../storage/store.ts';
import { memberOf } from './rollouts/tally.ts';

/** Records and blobs that several servers share. */
interface Shared {
  readonly store: Store;
  readonly blobs: BlobStore;
}

/** Checks a data folder; see `checkData`. */
export function checkFolder(folder: string, show: ShowFraction): Promise<DataReport> {
  return checkData(folder, memberOf, show);
}

/** Repairs a data folder; see `repairData`. */
export function repairFolder(
  folder: string,
  found: DataReport,
  options: { readonly show: ShowFraction; readonly holder: string },
): Promise<Repair> {
  return repairData(folder, found, { ...options, memberOf });
}

/** Reads all records of a database and compares the kept counts with them. Looks up each firmware file, but does not read its bytes. */
export async function checkShared({ store, blobs }: Shared, show: ShowFraction): Promise<DataReport> {
  const { problems, records, blobs: references } = await checkRows(store.dump());
  show(0.5);
  const differences = await store.counts.differences(memberOf);
  const stored = await blobs.olderThan(Number.POSITIVE_INFINITY);
  const complete = new Map(stored.flatMap((blob) => (blob.complete ? [[blob.sha256, blob.offset] as const] : [])));
  const missing = [...references].filter(([sha256]) => !complete.has(sha256));
  return {
    problems: [
      ...problems,
      ...differences.map((message): DataProblem => ({ kind: 'count-mismatch', message })),
      ...missing.map(([sha256, release]): DataProblem => {
        return { kind: 'blob-missing', message: `${sha256} is missing (${release})` };
      }),
    ],
    repairs: [],
    records,
    blobs: {
      complete: complete.size,
      sizeBytes: [...complete.values()].reduce((sum, size) => sum + size, 0),
      unused: [...complete.keys()].filter((sha256) => !references.has(sha256)).length,
      unfinished: stored.length - complete.size,
    },
  };
}

/** Counts the devices again if a kept count is wrong. Other problems of a database remain. Servers may be running. */
export async function repairShared(
  shared: Shared,
  { problems }: DataReport,
  show: ShowFraction,
): Promise<Omit<Repair, 'backup'>> {
  if (!problems.some(({ kind }) => kind === 'count-mismatch'))
    return { changes: [], after: await checkShared(shared, show) };
  await shared.store.counts.recount();
  return { changes: [recounted], after: await checkShared(shared, show) };
}
