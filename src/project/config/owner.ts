import type { UserWords } from './user-words.ts';

/**
 * Returns whether a file with this owner belongs to the user: to the user of this process, to root, or to the user who ran sudo. Always
 * true on Windows.
 */
export function isUsersOwn(uid: number, words: UserWords): boolean {
  const { userId } = words;
  if (userId === undefined || uid === userId || uid === 0) return true;
  return userId === 0 && uid === sudoUser(words);
}

/** Returns the user who ran sudo, unless that is root. */
export function sudoUser({ env }: UserWords): number | undefined {
  const uid = env['SUDO_UID'];
  return uid !== undefined && /^\d{1,10}$/.test(uid) && uid !== '0' ? Number(uid) : undefined;
}
