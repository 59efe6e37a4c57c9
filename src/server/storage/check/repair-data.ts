import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { moveFile } from '../../../files/move.ts';
import { writeError } from '../../../files/write.ts';
import { folderBlobs } from '../blobs/folder-blobs.ts';
import { dataError } from '../data-error.ts';
import { sealData } from '../data-identity.ts';
import { removeDatabase } from '../sql/sqlite/database-files.ts';
import { chooseDriver } from '../sql/sqlite/drivers/choose.ts';
import type { SqliteDatabase } from '../sql/sqlite/drivers/driver.ts';
import { openSqliteStore } from '../sql/sqlite/open-sqlite.ts';
import type { MemberOf } from '../store.ts';
import { checkData } from './check-data.ts';
import { copyDatabase, withDatabaseCopy } from './database-copy.ts';
import type { DataProblem, DataReport, ShowFraction } from './findings.ts';
import { rebuildDatabase } from './rebuild-database.ts';
import type { RowRepair } from './row-repairs.ts';

/** Message about the repair of kept counts. */
export const recounted = 'Counted all devices again. The server counts the devices of rollouts when it runs.';

export interface Repair {
  /** Folder with a copy of the original database and with the damaged files. */
  readonly backup: string;
  /** Messages about the changes. */
  readonly changes: readonly string[];
  /** Check after the repair. */
  readonly after: DataReport;
}

interface Job {
  readonly folder: string;
  readonly path: string;
  readonly backup: string;
  readonly holder: string;
}

/**
 * Repairs the damage that a check has found. Nothing is deleted: the database is copied and damaged files are moved into a new folder
 * first.
 *
 * @throws OtaError SERVER_DATA_IN_USE, SERVER_DATA_UNREADABLE, FILE_UNWRITABLE, and errors from `checkData`
 */
export async function repairData(
  folder: string,
  { problems, repairs }: DataReport,
  { show, holder, memberOf }: { readonly show: ShowFraction; readonly holder: string; readonly memberOf: MemberOf },
): Promise<Repair> {
  const path = join(folder, 'ota.db');
  const backup = join(folder, `before-repair-${new Date().toISOString().replaceAll(':', '-')}`);
  const job = { folder, path, backup, holder };
  await mkdir(backup, { mode: 0o700 }).catch((cause) => {
    throw writeError(backup, cause);
  });
  try {
    // Opening the database changes its files, so they are copied first.
    await copyDatabase(path, join(backup, 'ota.db'));
    await requireUnused(path);
  } catch (error) {
    await rm(backup, { recursive: true, force: true });
    throw error;
  }
  const changes = [...(await repairDatabase(job, problems, repairs)), ...(await moveDamagedFiles(job, problems))];
  return { backup, changes, after: await checkData(folder, memberOf, show) };
}

/** Checks that no server uses the database. A database that cannot be opened is not used by a server either. */
async function requireUnused(path: string): Promise<void> {
  const driver = await chooseDriver();
  let database: SqliteDatabase | undefined;
  try {
    database = driver.open(path);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; ROLLBACK');
  } catch (cause) {
    if (driver.errorCode(cause) !== 'SQLITE_BUSY') return;
    throw new OtaError('SERVER_DATA_IN_USE', { path, holder: undefined }, cause);
  } finally {
    database?.close();
  }
}

async function repairDatabase(
  job: Job,
  problems: readonly DataProblem[],
  repairs: readonly RowRepair[],
): Promise<readonly string[]> {
  const kinds = new Set(problems.map(({ kind }) => kind));
  if (kinds.has('database-newer')) return [];
  if (kinds.has('database-missing')) {
    await removeDatabase(job.path);
    await acceptLoss(job);
    return ['Created an empty database. All firmware files are kept: publish the releases again.'];
  }
  const isDamaged = (['database-damaged', 'record-invalid', 'record-unconnected'] as const).some((kind) =>
    kinds.has(kind),
  );
  const hasLoss = isDamaged || kinds.has('changes-lost');
  const isRebuilt = isDamaged || repairs.length > 0;
  if (!hasLoss && !isRebuilt) return kinds.has('count-mismatch') ? recount(job) : [];
  // The devices of a rebuilt database are counted again.
  const changes = isRebuilt ? await rebuild(job, repairs) : [];
  await acceptLoss(job);
  if (!hasLoss) return changes;
  return [
    ...changes,
    'Accepted the database without its lost changes. Existing firmware files will never be removed as unused.',
  ];
}

/** @throws OtaError SERVER_DATA_UNREADABLE if the file is not a database at all */
async function rebuild({ path, backup }: Job, repairs: readonly RowRepair[]): Promise<readonly string[]> {
  const rebuilt = `${path}-rebuilt`;
  await removeDatabase(rebuilt);
  try {
    const driver = await chooseDriver();
    const changes = await withDatabaseCopy(join(backup, 'ota.db'), (copy) =>
      rebuildDatabase({ path: copy, repairs }, rebuilt, driver),
    );
    await removeDatabase(path);
    await rename(rebuilt, path);
    return [`Rebuilt ${path} from all readable records`, ...changes];
  } catch (error) {
    await removeDatabase(rebuilt);
    throw dataError(path, error);
  }
}

async function recount({ path, holder }: Job): Promise<readonly string[]> {
  const store = await openSqliteStore(path, holder);
  try {
    await store.counts.recount();
    return [recounted];
  } catch (error) {
    throw dataError(path, error);
  } finally {
    await store.close();
  }
}

/** Marks the database as the one that belongs to the blobs. */
async function acceptLoss({ folder, path, holder }: Job): Promise<void> {
  const store = await openSqliteStore(path, holder, undefined, { acceptsLoss: true });
  try {
    await sealData({ store, blobs: await folderBlobs(folder) }, { acceptsLoss: true });
  } catch (error) {
    throw dataError(path, error);
  } finally {
    await store.close();
  }
}

/** Moves damaged blobs and unknown files, so that publishing the release again uploads its files again. */
async function moveDamagedFiles({ folder, backup }: Job, problems: readonly DataProblem[]): Promise<readonly string[]> {
  const changes: string[] = [];
  for (const { path } of problems) {
    if (path === undefined) continue;
    const to = join(backup, relative(folder, path));
    try {
      await mkdir(dirname(to), { recursive: true });
      await moveFile(path, to);
    } catch (cause) {
      throw writeError(to, cause);
    }
    changes.push(`Moved ${path} to ${to}`);
  }
  return changes;
}
