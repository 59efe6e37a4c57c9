import { chown } from 'node:fs/promises';

/** A user ID that no account on a test machine has. */
export const otherUser = 64_123;

/** True if these tests can change the owner of files. */
export const canChangeOwners = process.geteuid?.() === 0;

/**
 * Makes the owner of files differ from the user that a command runs as.
 *
 * @returns the user ID to pass to the command
 */
export async function asOtherUser(...paths: readonly string[]): Promise<number> {
  // Without root, the files keep their owner and the command receives a different user ID.
  if (!canChangeOwners) return otherUser;
  for (const path of paths) await chown(path, otherUser, otherUser);
  return 0;
}
