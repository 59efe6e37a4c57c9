import { sql } from 'kysely';
import type { Connection } from '../sql/sqlite/connection.ts';
import { type TableName, tableKeys, type WebhookTable, webhookKeys } from '../sql/tables.ts';

type Row = Readonly<Record<string, unknown>>;
/** Table whose rows a repair keeps. */
type KeptTable = TableName | WebhookTable;

const rowsAtOnce = 500;

/** Key columns of each table, in the order in which its pages are stored. */
const keys: Readonly<Record<KeptTable, readonly string[]>> = { ...tableKeys, ...webhookKeys };

/**
 * Yields the readable rows of a table. If a page is damaged, the rows before the page are read in order and the rows after it in reverse
 * order.
 *
 * @param damaged called with SQLite's message if some rows cannot be read
 */
export function* readableRows(
  connection: Connection,
  table: KeptTable,
  damaged: (message: string) => void,
): Generator<Row> {
  let last: string | undefined;
  let message: string | undefined;
  for (const row of inOrder(connection, table, 'asc', (found) => (message = found))) {
    last = keyOf(table, row);
    yield row;
  }
  if (message === undefined) return;
  damaged(message);
  for (const row of inOrder(connection, table, 'desc', () => undefined)) {
    if (keyOf(table, row) === last) return;
    yield row;
  }
}

/** Returns a readable name for a row, such as `devices 1 18:FE:34:00:00:01`. */
export function rowName(table: KeptTable, row: Row): string {
  return `${table} ${keys[table].map((column) => String(row[column])).join(' ')}`;
}

function* inOrder(
  connection: Connection,
  table: KeptTable,
  direction: 'asc' | 'desc',
  failed: (message: string) => void,
): Generator<Row> {
  const order = keys[table].map((column) => `"${column}" ${direction}`).join(', ');
  const query = sql<Row>`SELECT * FROM ${sql.table(table)} ORDER BY ${sql.raw(order)} LIMIT ${rowsAtOnce} OFFSET ${0}`;
  const page = connection.prepare({ compile: () => query.compile(connection.db) });
  let limit = rowsAtOnce;
  for (let offset = 0; ; ) {
    const rows = attempt(() => page.all(limit, offset));
    if (Array.isArray(rows)) {
      yield* rows;
      if (rows.length < limit) return;
      offset += rows.length;
    } else if (limit > 1) {
      // The rows before the damaged page are read one by one.
      limit = 1;
    } else return failed(rows.message);
  }
}

function attempt<Result>(read: () => Result): Result | Error {
  try {
    return read();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function keyOf(table: KeptTable, row: Row): string {
  return JSON.stringify(keys[table].map((column) => String(row[column])));
}
