/** Server functions for the commands. Loading this module loads the packages that only a server needs. */
export { makeToken } from './auth/tokens.ts';
export { openData } from './compose.ts';
export { pinoLog } from './observability/pino-log.ts';
export { backupLines, restoreBackup } from './services/backup.ts';
export { startServer } from './start.ts';
export { authorityIn } from './tls/authority-files.ts';
