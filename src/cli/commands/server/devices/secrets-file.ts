import { open } from 'node:fs/promises';
import { OtaError } from '../../../../errors/ota-error.ts';
import { syncFile } from '../../../../files/sync.ts';
import { writeAtomically, writeError } from '../../../../files/write.ts';

/** New secret for a device and the user name to send with it. */
export interface NewSecret {
  readonly mac: string;
  readonly user: string;
  readonly secret: string;
}

const readableByOwner = 0o600;

/**
 * Creates the file for new secrets. It is complete and on disk before the server receives the secrets, so that none can be lost.
 *
 * @throws OtaError FILE_EXISTS, FOLDER_MISSING, FILE_UNWRITABLE
 */
export async function createSecretsFile(path: string, secrets: readonly NewSecret[]): Promise<void> {
  try {
    const file = await open(path, 'wx', readableByOwner);
    try {
      await file.writeFile(textOf(path, secrets));
      await syncFile(file);
    } finally {
      await file.close();
    }
  } catch (cause) {
    // fs rejects with a system error, which has a code.
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new OtaError('FILE_EXISTS', { path, what: 'file' }, cause);
    throw writeError(path, cause);
  }
}

/** Rewrites the file with the secrets that the server accepted. */
export function rewriteSecretsFile(path: string, secrets: readonly NewSecret[]): Promise<void> {
  return writeAtomically(path, textOf(path, secrets), readableByOwner);
}

function textOf(path: string, secrets: readonly NewSecret[]): string {
  if (path.endsWith('.json')) return `${JSON.stringify(secrets, null, 2)}\n`;
  const lines = secrets.map(({ mac, user, secret }) => `${mac},${user},${secret}\n`);
  return `mac,user,secret\n${lines.join('')}`;
}
