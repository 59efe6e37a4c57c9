import { chown } from 'node:fs/promises';

/** A user ID that no account of a test machine has. */
export const otherUser = 64_123;

/** True if these tests can change the owner of files. */
export const canChangeOwners = process.geteuid?.() === 0;

/**
 * Makes files belong to another user than the one that a command believes to run as.
 *
 * @returns the user ID to run the command with
 */
export async function asOtherUser(...paths: readonly string[]): Promise<number> {
  // Without root, the files keep their owner and the command runs as another user.
  if (!canChangeOwners) return otherUser;
  for (const path of paths) await chown(path, otherUser, otherUser);
  return 0;
}
