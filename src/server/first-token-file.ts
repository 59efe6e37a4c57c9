import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OtaError } from '../errors/ota-error.ts';
import { writeAtomically } from '../files/write.ts';

/** File in the data folder with the first admin token. */
export const firstTokenFile = 'first-admin.token';
/** File in the data folder with the SHA-256 of a token file that the server wrote, until the token is stored. */
const unfinishedFile = `${firstTokenFile}.unfinished`;

/**
 * Writes the first admin token to a file before the token is stored. A server that stopped in between leaves a file whose token is not
 * valid: the next start replaces this file, but never a file that contains something else.
 *
 * @param data data folder
 * @param named file that the user named; undefined for the file in the data folder, which belongs to the server
 */
export function firstTokenKeeper(data: string, named: string | undefined) {
  const path = named ?? join(data, firstTokenFile);
  const unfinished = join(data, unfinishedFile);
  return {
    path,
    /** @throws OtaError FILE_EXISTS, FOLDER_MISSING, FILE_UNWRITABLE */
    async keep(token: string): Promise<void> {
      // With a database and a bucket, nothing else is in the folder.
      await mkdir(data, { recursive: true });
      const text = `${token}\n`;
      if (named !== undefined) {
        const present = await digestOf(named);
        const isOwn = present !== undefined && present === (await readText(unfinished));
        if (present !== undefined && !isOwn) throw new OtaError('FILE_EXISTS', { path: named, what: 'token file' });
        // The file with the old token must be recognized until it is replaced.
        if (isOwn) await rm(named);
        await writeAtomically(unfinished, sha256(text), 0o600);
      }
      await writeAtomically(path, text, 0o600);
    },
    /** Called after the token was stored. */
    finish: () => rm(unfinished, { force: true }),
  };
}

async function digestOf(path: string): Promise<string | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : sha256(text);
}

/** @returns undefined if there is no such file, and an empty text if it cannot be read */
async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : ''));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
