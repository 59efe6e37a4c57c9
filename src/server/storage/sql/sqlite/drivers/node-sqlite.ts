import type { SqliteDatabase, SqliteDriver, SqliteStatement, SqliteValue } from './driver.ts';

/**
 * Types for the part of node:sqlite that the driver uses. The type definitions for Node.js 20, the oldest supported version, do not include
 * the module.
 */
interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => DatabaseSync;
}

interface DatabaseSync {
  readonly exec: (sql: string) => void;
  prepare(sql: string): StatementSync;
  close(): void;
}

interface StatementSync {
  get(...values: readonly SqliteValue[]): unknown;
  all(...values: readonly SqliteValue[]): unknown[];
  run(...values: readonly SqliteValue[]): ReturnType<SqliteStatement['run']>;
}

/** Returns SQLite from Node.js 22.13 or newer; undefined if Node.js does not include SQLite. */
export function nodeSqlite(): SqliteDriver | undefined {
  const sqlite = withoutSqliteWarning(() => process.getBuiltinModule('node:sqlite'));
  if (sqlite === undefined) return undefined;
  // node:sqlite has had these exports since Node.js 22.5.
  const { DatabaseSync } = sqlite as NodeSqlite;
  return { name: 'node:sqlite', open: (path) => adapt(new DatabaseSync(path)), errorCode };
}

function adapt(database: DatabaseSync): SqliteDatabase {
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql);
      return {
        get: (values) => statement.get(...values),
        all: (values) => statement.all(...values),
        run: (values) => statement.run(...values),
      };
    },
    close: () => database.close(),
  };
}

/** Loads node:sqlite without the warning that Node.js 22 prints for the module. Other warnings are passed on. */
function withoutSqliteWarning<Result>(load: () => Result): Result {
  const { emitWarning } = process;
  const passOn = (warning: string | Error, ...rest: unknown[]): void => {
    const isOfSqlite = rest[0] === 'ExperimentalWarning' && String(warning).startsWith('SQLite ');
    if (!isOfSqlite) Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  process.emitWarning = passOn;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** SQLite's primary result codes, indexed by number starting at 0. */
const resultCodes = [
  ...['OK', 'ERROR', 'INTERNAL', 'PERM', 'ABORT', 'BUSY', 'LOCKED', 'NOMEM', 'READONLY', 'INTERRUPT'],
  ...['IOERR', 'CORRUPT', 'NOTFOUND', 'FULL', 'CANTOPEN', 'PROTOCOL', 'EMPTY', 'SCHEMA', 'TOOBIG', 'CONSTRAINT'],
  ...['MISMATCH', 'MISUSE', 'NOLFS', 'AUTH', 'FORMAT', 'RANGE', 'NOTADB'],
];

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return undefined;
  // The low byte of an extended result code is the primary result code.
  const name = resultCodes[error.errcode & 0xff];
  return name && `SQLITE_${name}`;
}
