import { libsql } from '../../../src/server/storage/sql/sqlite/drivers/libsql.ts';
import { nodeSqlite } from '../../../src/server/storage/sql/sqlite/drivers/node-sqlite.ts';

/** SQLite drivers available in this environment. libsql is a development dependency; node:sqlite requires Node.js 22.13 or newer. */
export const drivers = [nodeSqlite(), await libsql()].filter((driver) => driver !== undefined);
