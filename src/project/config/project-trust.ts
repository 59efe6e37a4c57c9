import { statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { NamedSource, ProjectTrust, SecretUse, SourceKind } from '../../core/model/secret-policy.ts';
import { isBelow, realPathOf } from '../../files/real-path.ts';
import { findRepository } from '../keys/git-repository.ts';
import { isUsersOwn } from './owner.ts';
import { asListed, readUserConfig, userConfigKeys } from './user-config.ts';
import { type UserWords, userConfigPath } from './user-words.ts';

/**
 * Returns the sources and destinations that a project may use. The user configuration is read only if a decision needs it, because hooks
 * must start quickly.
 *
 * @param folders folder of the configuration, then the source folder
 * @param name configuration file or source folder, for messages
 */
export function projectTrust(folders: readonly [string, string], name: string, words: UserWords): ProjectTrust {
  const [real, sourceFolder] = [realPathOf(folders[0]), realPathOf(folders[1])];
  return {
    name,
    kindOfFile: (path) => kindOfFile(path, [real, sourceFolder], words),
    isOutside: (path) => kindOfFile(path, [real, sourceFolder], words) === 'outside-file',
    isAllowed: (use, source) => {
      const wanted = comparable(use, source);
      return Object.entries(readUserConfig(words).projects ?? {}).some(
        ([project, { [userConfigKeys[use]]: listed = [] }]) =>
          isBelow(real, project) &&
          listed.some((each) => {
            const allowed = listedSource(use, each);
            return !leadsOut(allowed, [real, sourceFolder]) && comparable(use, allowed) === wanted;
          }),
      );
    },
    howToAllow: (use, source) => {
      const target = 'file' in source ? { file: realPathOf(source.file) } : source;
      const entry = { projects: { [real]: { [userConfigKeys[use]]: [asListed(use, target)] } } };
      return `add to ${userConfigPath(words)}: ${JSON.stringify(entry)}`;
    },
  };
}

function kindOfFile(path: string, folders: readonly [string, string], words: UserWords): SourceKind {
  const real = realPathOf(path);
  const project = folders.find((folder) => isBelow(real, folder)) ?? workTreeOf(folders[0], words);
  if (project === undefined || !isBelow(real, project)) return 'outside-file';
  if (isCredentialFile(relative(project, real))) return 'credential-file';
  return versionFile.test(basename(real)) ? 'version-file' : 'project-file';
}

/**
 * Returns the git work tree that contains the project, because files in the same checkout belong to the project. A work tree that contains
 * the user's home folder (dotfiles in git) or belongs to another user does not count.
 */
export function workTreeOf(folder: string, words: UserWords): string | undefined {
  const repository = findRepository(folder);
  if (typeof repository === 'string' || isBelow(realPathOf(words.home), repository.workTree)) return undefined;
  const owners = [join(repository.workTree, '.git'), repository.workTree].map((path) => statSync(path).uid);
  const own = statSync(folder).uid;
  return owners.every((uid) => uid === own || isUsersOwn(uid, words)) ? repository.workTree : undefined;
}

/** Files whose whole content is a version, which is published. A project could otherwise publish its password files. */
const versionFile = /^(?:version|VERSION)(?:\.txt)?$/;

/** Folders and files in which other programs store credentials; `actions/checkout` stores its token in `.git/config`. */
const credentialFolders = [
  ...['.git', '.ssh', '.gnupg', '.aws', '.azure', '.docker', '.kube', '.gem', '.cargo', '.config', '.password-store'],
  ...['.terraform', '.terraform.d'],
];
const credentialFiles = new RegExp(
  `^(?:${[
    String.raw`\.env(?:rc|\..*)?|.*\.env`,
    String.raw`\.npmrc|\.yarnrc(?:\.yml)?|\.pypirc|\.terraformrc|.*\.tfstate(?:\.backup)?`,
    String.raw`\.netrc|_netrc|\.git-credentials|\.htpasswd|\.pgpass|\.my\.cnf|\.vault-token|\.passwd-s3fs|\.s3cfg|\.boto`,
    'id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?',
  ].join('|')})$`,
);

function isCredentialFile(way: string): boolean {
  // macOS and Windows ignore case.
  const parts = way.toLowerCase().split(sep);
  return parts.some((part) => credentialFolders.includes(part)) || credentialFiles.test(parts.at(-1) ?? '');
}

function listedSource(use: SecretUse, listed: string | NamedSource): NamedSource {
  if (typeof listed !== 'string') return listed;
  return use === 'destination' && /^https?:\/\//i.test(listed) ? { server: originOf(listed) } : { file: listed };
}

/**
 * Returns whether a path in the user configuration leads out of the project through a symbolic link. The project controls the target of
 * such a link and can change it after the user has allowed the path.
 */
function leadsOut(listed: NamedSource, folders: readonly string[]): boolean {
  if (!('file' in listed)) return false;
  const isInside = (path: string) => folders.some((folder) => isBelow(realPathOf(path), folder));
  return !isInside(listed.file) && foldersAbove(listed.file).some(isInside);
}

function foldersAbove(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}

function comparable(use: SecretUse, source: NamedSource): string {
  if ('env' in source) return `env ${source.env}`;
  return 'file' in source ? `file ${realPathOf(source.file)}` : `server ${use} ${source.server}`;
}
