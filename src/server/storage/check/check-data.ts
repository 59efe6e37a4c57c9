import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import { folderBlobs } from '../blobs/folder-blobs.ts';
import { type BlobsIdentity, identifyBlobs, type PairProblem, pairProblem } from '../data-identity.ts';
import { chooseDriver } from '../sql/sqlite/drivers/choose.ts';
import { hasLostJournal } from '../sql/sqlite/open-sqlite.ts';
import type { MemberOf } from '../store.ts';
import { checkBlobs } from './check-blobs.ts';
import { checkDatabase, type DatabaseReport } from './check-database.ts';
import { withDatabaseCopy } from './database-copy.ts';
import type { DataProblem, DataReport, ShowFraction } from './findings.ts';
import type { Contradiction } from './related-records.ts';
import { byteContradictions } from './release-bytes.ts';

/** Messages about a database that does not belong to the blobs or has lost changes. */
const lostChanges: Readonly<Record<PairProblem, string>> = {
  lost: 'the database has no identity: it was never completely created or restored',
  unsealed: 'the folder blobs lacks the file database-….txt, so it is unknown whether ota.db is an older copy',
  older: 'ota.db is an older copy: its last changes are lost',
  other: 'ota.db belongs to a different server',
};

const emptyDatabase: DatabaseReport = {
  problems: [],
  repairs: [],
  records: {},
  identity: undefined,
  blobs: new Map(),
  related: undefined,
};

/**
 * Reads all data in a folder and changes nothing. A server may be running.
 *
 * @throws OtaError FILE_NOT_FOUND, SERVER_DATA_IN_USE, SQLITE_MISSING
 */
export async function checkData(
  folder: string,
  memberOf: MemberOf,
  show: ShowFraction = () => undefined,
): Promise<DataReport> {
  const path = join(folder, 'ota.db');
  // A running server seals the database before the blobs, so the blobs are checked before the database.
  const store = await folderBlobs(folder, { isReadOnly: true });
  const sealed = await identifyBlobs(store);
  if (!(await isFile(path)) && sealed.areUnused) {
    throw new OtaError('FILE_NOT_FOUND', { path, what: 'database' });
  }
  const driver = await chooseDriver();
  const isMissing = ((await stat(path).catch(() => undefined))?.size ?? 0) === 0;
  const database = isMissing
    ? emptyDatabase
    : await withDatabaseCopy(path, (copy) => checkDatabase(copy, driver, memberOf));
  const blobs = await checkBlobs(folder, database.blobs, show);
  const problems = isMissing
    ? [missing(path)]
    : [...(await lostProblems(path, database, sealed)), ...database.problems];
  const { records, related } = database;
  const contradictions: Contradiction[] = [];
  if (related !== undefined) for await (const found of byteContradictions(related, store)) contradictions.push(found);
  return {
    problems: [...problems, ...blobs.problems, ...contradictions.map(({ kind, message }) => ({ kind, message }))],
    repairs: [...database.repairs, ...contradictions.flatMap(({ repair }) => repair ?? [])],
    records,
    blobs: blobs.blobs,
  };
}

function missing(path: string): DataProblem {
  return { kind: 'database-missing', message: `${path} is missing or empty` };
}

async function lostProblems(
  path: string,
  { identity, problems }: DatabaseReport,
  sealed: BlobsIdentity,
): Promise<DataProblem[]> {
  if (await hasLostJournal(path)) {
    const message =
      'the server was not stopped properly, and its journal ota.db-wal is missing: the last changes are lost';
    return [{ kind: 'changes-lost', message }];
  }
  if (problems.some(({ kind }) => kind === 'database-damaged' || kind === 'database-newer')) return [];
  const problem = pairProblem(identity, sealed);
  return problem === undefined ? [] : [{ kind: 'changes-lost', message: lostChanges[problem] }];
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
