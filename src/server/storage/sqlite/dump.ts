import { rm } from 'node:fs/promises';
import type { DumpLine } from '../store.ts';
import { Connection } from './connection.ts';
import { tableNames } from './tables.ts';

const rowsAtOnce = 500;

/**
 * The rows of all tables, as they are at one moment: SQLite copies itself first, and the copy is read while the server goes on.
 *
 * @param copyPath where the copy may stand while it is read
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

function* dumpTable(copy: Connection, table: (typeof tableNames)[number]): Generator<DumpLine> {
  for (let offset = 0; ; offset += rowsAtOnce) {
    const rows = copy.all(copy.sql.selectFrom(table).selectAll().limit(rowsAtOnce).offset(offset));
    for (const row of rows) yield { table, row: toJson(row) };
    if (rows.length < rowsAtOnce) return;
  }
}

/** Puts rows back into empty tables, in the transaction of the caller. */
export function restoreRow(connection: Connection, { table, row }: DumpLine): void {
  const name = tableNames.find((known) => known === table);
  if (name === undefined) throw new TypeError(`there is no table ${table}`);
  const values = name === 'sketch_md5s' ? { ...row, md5: Buffer.from(String(row['md5']), 'hex') } : row;
  // The columns were those of this table when it was dumped; where they are not, SQLite says so.
  connection.run(connection.sql.insertInto(name).values(values as never));
}

/** Only MD5s are stored as bytes; drivers return them as a Buffer, a Uint8Array or an ArrayBuffer. */
function toJson(row: object): DumpLine['row'] {
  const entries = Object.entries(row).map(([column, value]) => {
    const isBytes = value instanceof ArrayBuffer || value instanceof Uint8Array;
    return [column, isBytes ? Buffer.from(new Uint8Array(value)).toString('hex') : value];
  });
  return Object.fromEntries(entries);
}

async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(path + suffix, { force: true });
}
