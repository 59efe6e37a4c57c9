import { rm } from 'node:fs/promises';

/** Removes a database and the files that SQLite stores next to it. */
export async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(path + suffix, { force: true });
}
