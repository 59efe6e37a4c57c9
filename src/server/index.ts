/** What the verbs need of the server; loading it loads the packages that only a server needs. */
export { makeToken } from './access/tokens.ts';
export { backupLines, restoreBackup } from './backup.ts';
export { pinoLog } from './operation/pino-log.ts';
export { startServer } from './start-server.ts';
export { openSqliteStore } from './store/sqlite/sqlite-store.ts';
export { authorityIn } from './tls/authority-files.ts';
