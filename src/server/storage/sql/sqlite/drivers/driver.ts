/** Open database file. */
export interface SqliteDatabase {
  /** Runs any number of statements without bound values. */
  readonly exec: (sql: string) => void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

/** Prepared statement. Values are passed as one list, in placeholder order. */
export interface SqliteStatement {
  get(values: readonly SqliteValue[]): unknown;
  all(values: readonly SqliteValue[]): unknown[];
  run(values: readonly SqliteValue[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
}

export type SqliteValue = string | number | Uint8Array | null;

/** SQLite binding for Node.js. All drivers read and write the same file format. */
export interface SqliteDriver {
  readonly name: 'node:sqlite' | 'libsql';
  open(path: string): SqliteDatabase;
  /** Returns SQLite's name for an error thrown by this driver, such as SQLITE_BUSY; undefined for any other error. */
  errorCode(error: unknown): string | undefined;
}
