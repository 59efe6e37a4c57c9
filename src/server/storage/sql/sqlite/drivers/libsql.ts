import type Libsql from 'libsql';
import { OtaError } from '../../../../../errors/ota-error.ts';
import type { SqliteDriver } from './driver.ts';

type DownloadSlot = () => Promise<{ readonly default: typeof Libsql }>;

/**
 * Loads SQLite from the optional libsql package, for Node.js versions without node:sqlite.
 *
 * @throws OtaError SQLITE_MISSING if the package is not installed or has no binary for this platform
 */
export async function libsql(load: DownloadSlot = () => import('libsql')): Promise<SqliteDriver> {
  const { default: Database } = await load().catch((cause: unknown) => {
    // `import()` fails with ERR_MODULE_NOT_FOUND if the package is missing. A missing binary in the package causes a different code.
    const isInstalled = codeOf(cause) !== 'ERR_MODULE_NOT_FOUND';
    const platform = `${process.platform}-${process.arch}`;
    throw new OtaError('SQLITE_MISSING', { node: process.versions.node, isInstalled, platform }, cause);
  });
  return {
    name: 'libsql',
    open: (path) => new Database(path),
    errorCode(error) {
      const code = codeOf(error);
      return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
    },
  };
}

/** Objects thrown by libsql are not always instances of Error. */
function codeOf(error: unknown): unknown {
  return (Object(error) as { readonly code?: unknown }).code;
}
