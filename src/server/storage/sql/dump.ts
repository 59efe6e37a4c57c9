import { sql } from 'kysely';
import type { DumpLine } from '../store.ts';
import { recountDevices } from './device-counts.ts';
import type { Database, Engine } from './engine.ts';
import { fillLists } from './migrations/0022-fill-board-and-release.ts';
import { identityKey } from './store-facts.ts';
import { type TableName, tableKeys, tableNames } from './tables.ts';

const rowsAtOnce = 500;
/** Number of rows that one statement restores. On PostgreSQL, one statement per row would take ten times as long. */
const restoredAtOnce = 200;

/** Yields the rows of all tables in a consistent state. */
export async function* dumpTables(engine: Engine): AsyncGenerator<DumpLine> {
  const snapshot = await engine.snapshot();
  try {
    for (const table of tableNames) yield* dumpTable(snapshot.db, table);
  } finally {
    await snapshot.end();
  }
}

async function* dumpTable(db: Database, table: TableName): AsyncGenerator<DumpLine> {
  const key: readonly string[] = tableKeys[table];
  const columns = sql.join(key.map((column) => sql.ref(column)));
  for (let last: DumpLine['row'] | undefined; ; ) {
    const after = last === undefined ? sql`` : sql`WHERE (${columns}) > (${sql.join(key.map((name) => last?.[name]))})`;
    const query = sql<
      DumpLine['row']
    >`SELECT * FROM ${sql.table(table)} ${after} ORDER BY ${columns} LIMIT ${rowsAtOnce}`;
    const { rows } = await query.execute(db);
    for (const row of rows) if (!isIdentity(table, row)) yield { table, row: { ...row } };
    if (rows.length < rowsAtOnce) return;
    last = rows.at(-1);
  }
}

/** Inserts the rows into empty tables and counts the devices, within the caller's transaction. */
export async function restoreRows(db: Database, lines: Iterable<DumpLine> | AsyncIterable<DumpLine>): Promise<void> {
  let batch: DumpLine[] = [];
  for await (const line of lines) {
    const [first] = batch;
    if (first !== undefined && (batch.length >= restoredAtOnce || !isAlike(first, line))) {
      await restoreAlike(db, batch);
      batch = [];
    }
    batch.push(line);
  }
  await restoreAlike(db, batch);
  await completeRestore(db);
}

/** Returns whether two rows can be inserted with one statement. */
function isAlike(one: DumpLine, other: DumpLine): boolean {
  return one.table === other.table && Object.keys(one.row).join() === Object.keys(other.row).join();
}

/** Inserts rows of one table into the empty table, within the caller's transaction. */
export async function restoreAlike(db: Database, lines: readonly DumpLine[]): Promise<void> {
  const [first] = lines;
  if (first === undefined) return;
  const name = tableNames.find((known) => known === first.table);
  if (name === undefined) throw new TypeError(`table ${first.table} does not exist`);
  const rows = lines.map(({ row }) => row);
  if (rows.some((row) => isIdentity(name, row))) throw new TypeError('a backup has no identity');
  // The columns are from the time of the dump. The database rejects the rows if the columns do not match the table.
  await db
    .insertInto(name)
    .values(rows as never)
    .execute();
}

/** Adds the data that is derived from the restored rows. The devices of rollouts are counted later; see `RolloutStore.countNext`. */
export async function completeRestore(db: Database): Promise<void> {
  // A backup from before the migration 0020 lacks columns.
  await fillLists(db);
  await recountDevices(db);
  await sql`INSERT INTO rollout_countings (rollout_id, counted_to) SELECT id, '' FROM rollouts`.execute(db);
}

/** Returns true for the identity of a database. A backup does not contain it, so that two servers never have the same identity. */
function isIdentity(table: string, row: object): boolean {
  return table === 'meta' && 'key' in row && row.key === identityKey;
}
