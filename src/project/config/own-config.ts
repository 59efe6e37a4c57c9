import { lstatSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { isBelow } from '../../files/real-path.ts';
import { isUsersOwn, sudoUser } from './owner.ts';
import { readUserConfig } from './user-config.ts';
import { type UserWords, userConfigPath } from './user-words.ts';

/** Result of the search for a configuration. */
export interface ConfigSearch {
  readonly start: string;
  /** Nearest configuration, in the start folder or a parent folder. */
  readonly path: string | undefined;
  /** `.git` or package.json at which the search ended, if any. */
  readonly marker: string | undefined;
}

/**
 * Checks, like git's safe.directory, that the files that determine which configuration applies belong to this user. Otherwise, another user
 * who can write to a parent of the source folder could replace the keys of a build. Without a configuration, the owner of the marker that
 * ended the search is checked, because the marker may hide the user's own configuration in a parent folder.
 *
 * @throws OtaError CONFIG_OF_OTHER_USER, USER_CONFIG_INVALID, USER_CONFIG_UNSAFE
 */
export function requireOwnConfig({ start, path, marker }: ConfigSearch, words: UserWords): void {
  const found = path ?? marker;
  if (found === undefined) return;
  const foreign = [...ownersOf(found)].filter(([, uid]) => !isUsersOwn(uid, words));
  if (foreign.length === 0) return;
  const checkout = foldersBetween(start, dirname(found));
  for (const [owned, uid] of foreign) {
    const folder = owned === dirname(found) ? owned : dirname(owned);
    if (isOneCheckout(uid, checkout, path === undefined, words) || isSafe(folder, words)) continue;
    throw new OtaError('CONFIG_OF_OTHER_USER', {
      path: owned,
      owner: uid,
      isConfig: path !== undefined,
      folder,
      userConfig: userConfigPath(words),
    });
  }
}

/** Returns the owners of a file, of its folder, and of the file that it points to if it is a symbolic link. */
function ownersOf(path: string): ReadonlyMap<string, number> {
  return new Map([
    [dirname(path), statSync(dirname(path)).uid],
    [path, lstatSync(path).uid],
    ...(lstatSync(path).isSymbolicLink() ? ([[realpathSync(path), statSync(path).uid]] as const) : []),
  ]);
}

function foldersBetween(start: string, end: string): readonly string[] {
  const folders = [start];
  for (let folder = start; folder !== end && dirname(folder) !== folder; ) {
    folder = dirname(folder);
    folders.push(folder);
  }
  return folders;
}

/**
 * Returns true if the whole checkout in which the user started belongs to one other user, which is common for root in a container or a CI
 * job. Without a configuration, that user controls all files in the checkout anyway, including the keys.
 */
function isOneCheckout(uid: number, folders: readonly string[], isBare: boolean, words: UserWords): boolean {
  const isRoot = words.userId === 0 && sudoUser(words) === undefined;
  return (isRoot || isBare) && folders.every((folder) => statSync(folder).uid === uid);
}

/** Returns whether the user trusts a folder or one above it. */
export function isSafe(path: string, words: UserWords): boolean {
  const folder = realpathSync(path);
  const fromEnvironment = (words.env['OTA_SAFE_DIRECTORY'] ?? '').split(delimiter);
  if (fromEnvironment.some((trusted) => isBelow(folder, trusted))) return true;
  return (readUserConfig(words).safeDirectories ?? []).some((trusted) => isBelow(folder, trusted));
}
