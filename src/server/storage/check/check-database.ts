import { sql } from 'kysely';
import { OtaError } from '../../../errors/ota-error.ts';
import { dataError } from '../data-error.ts';
import { rowProblem } from '../document-schemas.ts';
import { sqliteTables } from '../sql/engines/sqlite.ts';
import { unusableMigration } from '../sql/migrate.ts';
import { Connection } from '../sql/sqlite/connection.ts';
import type { SqliteDriver } from '../sql/sqlite/drivers/driver.ts';
import { identityKey } from '../sql/store-facts.ts';
import { storedJson } from '../sql/stored-json.ts';
import { tableNames } from '../sql/tables.ts';
import type { DataIdentity, DumpLine } from '../store.ts';
import type { DataProblem, DataReport } from './findings.ts';
import { limitProblem, withoutWrongAliases } from './record-limits.ts';
import { type Contradiction, RelatedRecords } from './related-records.ts';
import type { RowRepair } from './row-repairs.ts';
import { readableRows, rowName } from './table-rows.ts';

/** Result of checking a database. */
export interface DatabaseReport extends Pick<DataReport, 'problems' | 'records' | 'repairs'> {
  readonly identity: DataIdentity | undefined;
  /** Releases that refer to each blob, as text such as `door 1.0`. */
  readonly blobs: ReadonlyMap<string, string>;
  /** All records, to compare with the firmware files; undefined if some of them cannot be used. */
  readonly related: RelatedRecords | undefined;
}

/** Maximum number of problems reported per kind of damage, so that one damaged page does not fill the screen. */
const mostReported = 50;

/**
 * Reads all rows of a database.
 *
 * @param path path of a copy of the database, because opening one changes its files
 */
export async function checkDatabase(path: string, driver: SqliteDriver): Promise<DatabaseReport> {
  const related = new RelatedRecords();
  const found: Found = {
    problems: [],
    repairs: [],
    records: {},
    identity: undefined,
    blobs: new Map(),
    releases: new Map(),
    related,
  };
  let connection: Connection | undefined;
  try {
    connection = new Connection(path, driver);
    await readAll(connection, found);
  } catch (error) {
    const known = dataError(path, error);
    if (!(known instanceof OtaError)) throw error;
    note(found, { kind: 'database-damaged', message: known.message.replace(/^.* cannot be used: /, '') });
  } finally {
    connection?.close();
  }
  // Records that cannot be used leave gaps, which would look like contradictions.
  if (found.problems.some(({ kind }) => unusable.includes(kind))) return { ...found, related: undefined };
  for (const contradiction of related.contradictions()) note(found, contradiction);
  return found;
}

const unusable: readonly DataProblem['kind'][] = [
  'database-damaged',
  'database-newer',
  'record-invalid',
  'record-unconnected',
];

type Row = DumpLine['row'];

interface Found {
  readonly problems: DataProblem[];
  readonly repairs: RowRepair[];
  readonly related: RelatedRecords;
  readonly records: Record<string, number>;
  identity: DataIdentity | undefined;
  readonly blobs: Map<string, string>;
  readonly releases: Map<unknown, string>;
}

async function readAll(connection: Connection, found: Found): Promise<void> {
  const unknown = await unusableMigration(connection.db, await sqliteTables(connection.db));
  if (unknown !== undefined) {
    const message = `the database has the migration ${unknown}, which requires a newer version of ota-hooks`;
    return note(found, { kind: 'database-newer', message });
  }
  checkPages(connection, found);
  checkConnections(connection, found);
  for (const table of tableNames) {
    for (const row of readableRows(connection, table, (message) => damagedTable(found, table, message))) {
      found.records[table] = (found.records[table] ?? 0) + 1;
      const problem = rowProblem(table, row);
      if (problem !== undefined) {
        note(found, { kind: 'record-invalid', message: `${rowName(table, row)}: ${problem}` });
        continue;
      }
      // `rowProblem` has checked the types of the values.
      const json = row as DumpLine['row'];
      const limit = limitProblem(table, json);
      if (limit !== undefined) note(found, beyondLimits(table, json, limit));
      noteRow(found, table, json);
    }
  }
}

function beyondLimits(table: (typeof tableNames)[number], row: Row, problem: string): Contradiction {
  const name = rowName(table, row);
  const repaired = table === 'projects' ? withoutWrongAliases(row) : undefined;
  const repair = repaired && { name, row: repaired, change: `Removed the aliases of ${name} that are not allowed` };
  return { kind: 'record-beyond-limits', message: `${name}: ${problem}`, repair };
}

function checkPages(connection: Connection, found: Found): void {
  const query = sql<{ integrity_check: string }>`PRAGMA integrity_check(${sql.raw(String(mostReported))})`;
  for (const { integrity_check: text } of connection.all({ compile: () => query.compile(connection.db) })) {
    if (text !== 'ok') note(found, { kind: 'database-damaged', message: text.replaceAll('\n', ' ') });
  }
}

function checkConnections(connection: Connection, found: Found): void {
  const query = sql<{ table: string; parent: string }>`PRAGMA foreign_key_check`;
  const rows = connection.all({ compile: () => query.compile(connection.db) });
  const counts = new Map<string, number>();
  for (const { table, parent } of rows) {
    const key = `${table} without their ${parent}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  for (const [key, count] of counts) note(found, { kind: 'record-unconnected', message: `${count} rows of ${key}` });
}

function damagedTable(found: Found, table: string, message: string): void {
  note(found, { kind: 'database-damaged', message: `some rows of ${table} cannot be read: ${message}` });
}

/** Collects the data that the blob checks require. Projects precede their releases, and releases precede their blobs. */
function noteRow(found: Found, table: string, row: Row): void {
  found.related.add(table, row);
  if (table === 'meta' && row['key'] === identityKey) {
    found.identity = storedJson<DataIdentity>(String(row['value']), 'the identity of the data');
  }
  if (table === 'projects') found.releases.set(`project ${row['id']}`, String(row['name']));
  if (table === 'releases') {
    found.releases.set(row['id'], `${found.releases.get(`project ${row['project_id']}`)} ${row['version']}`);
  }
  if (table === 'release_blobs') {
    found.blobs.set(String(row['sha256']), found.releases.get(row['release_id']) ?? 'an unknown release');
  }
}

/** Records a problem and its repair. The number of repairs is not limited, so that one run of `--repair` makes all of them. */
function note({ problems, repairs }: Found, { repair, ...problem }: Contradiction): void {
  if (repair !== undefined) repairs.push(repair);
  if (problems.filter(({ kind }) => kind === problem.kind).length < mostReported) problems.push(problem);
}
