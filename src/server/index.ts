/** Server functions used by the commands. Importing this module loads the packages that only a server needs. */
export { openData, openStores, useData } from './compose.ts';
export { firstTokenFile } from './first-token-file.ts';
export { ownHosts } from './http/own-addresses.ts';
export { pinoLog } from './observability/pino-log.ts';
export { backupLines, restoreBackup } from './services/backup.ts';
export { checkFolder, checkShared, repairFolder, repairShared } from './services/check-server.ts';
export { copyData } from './services/copy-data.ts';
export { createToken } from './services/tokens.ts';
export { startServer } from './start.ts';
export type { DataReport } from './storage/check/findings.ts';
export { dataError } from './storage/data-error.ts';
export { sealData } from './storage/data-identity.ts';
export { authorityIn, hasAuthority } from './tls/authority-files.ts';
