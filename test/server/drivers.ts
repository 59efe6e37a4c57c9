import { libsql } from '../../src/server/storage/sqlite/drivers/libsql.ts';
import { nodeSqlite } from '../../src/server/storage/sqlite/drivers/node-sqlite.ts';

/** The SQLite drivers that this Node.js has: libsql is a development dependency, node:sqlite comes with Node.js 22.13 and newer. */
export const drivers = [nodeSqlite(), await libsql()].filter((driver) => driver !== undefined);
