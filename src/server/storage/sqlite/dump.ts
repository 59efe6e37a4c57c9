import { rm } from 'node:fs/promises';
import type { DumpLine } from '../store.ts';
import { Connection } from './connection.ts';
import { tableNames } from './tables.ts';

const rowsAtOnce = 500;
/** Key of the row in `meta` that contains the identity of the data. */
export const identityKey = 'identity';

/**
 * Yields the rows of all tables in a consistent state: SQLite first creates a copy, which is then read while the server continues to run.
 *
 * @param copyPath path for the temporary copy
 */
export async function* dumpTables(connection: Connection, copyPath: string): AsyncGenerator<DumpLine> {
  await removeDatabase(copyPath);
  try {
    connection.execute(`VACUUM INTO '${copyPath.replaceAll("'", "''")}'`);
    const copy = new Connection(copyPath, connection.driver);
    try {
      for (const table of tableNames) yield* dumpTable(copy, table);
    } finally {
      copy.close();
    }
  } finally {
    await removeDatabase(copyPath);
  }
}

async function* dumpTable({ db }: Connection, table: (typeof tableNames)[number]): AsyncGenerator<DumpLine> {
  for (let offset = 0; ; offset += rowsAtOnce) {
    const rows = await db.selectFrom(table).selectAll().limit(rowsAtOnce).offset(offset).execute();
    for (const row of rows) if (!isIdentity(table, row)) yield { table, row: jsonRow(row) };
    if (rows.length < rowsAtOnce) return;
  }
}

/** Inserts a row into an empty table, within the caller's transaction. */
export function restoreRow(connection: Connection, { table, row }: DumpLine): void {
  const name = tableNames.find((known) => known === table);
  if (name === undefined) throw new TypeError(`there is no table ${table}`);
  if (isIdentity(name, row)) throw new TypeError('a backup has no identity');
  const values = name === 'sketch_md5s' ? { ...row, md5: Buffer.from(String(row['md5']), 'hex') } : row;
  // The columns are from the time of the dump. SQLite rejects the row if the columns do not match the table.
  connection.run(connection.db.insertInto(name).values(values as never));
}

/** Returns true for the identity of a database. A backup does not contain it, so that two servers never have the same identity. */
function isIdentity(table: string, row: object): boolean {
  return table === 'meta' && 'key' in row && row.key === identityKey;
}

/** Converts a row to JSON values. Only MD5s are stored as bytes, which drivers return as a Buffer, a Uint8Array or an ArrayBuffer. */
export function jsonRow(row: object): DumpLine['row'] {
  const entries = Object.entries(row).map(([column, value]) => {
    const isBytes = value instanceof ArrayBuffer || value instanceof Uint8Array;
    return [column, isBytes ? Buffer.from(new Uint8Array(value)).toString('hex') : value];
  });
  return Object.fromEntries(entries);
}

export async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(path + suffix, { force: true });
}
