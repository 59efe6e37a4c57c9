import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readNamedFile, readOptionalFile } from '../../files/read.ts';
import { retryWhileInUse } from '../../files/retry.ts';
import { writeError } from '../../files/write.ts';
import { type UserWords, userDataFolder } from '../config/user-words.ts';

/** Copy of the CLI that installed hooks run, so that they do not depend on a project's `node_modules`. */
export interface CliCopy {
  readonly folder: string;
  /** Content of the script that starts the copy. The script is written to each core that has the hooks. */
  readonly launcher: Buffer;
}

/** Programs that the installation runs in: the Node.js executable and the script of this CLI. */
export interface OwnProgram {
  readonly node: string;
  readonly cli: string;
}

/** File in the copy with the path of Node.js; hooks/arduino.py reads it. */
const nodeName = 'node';

/** Returns the folder with the copy of the CLI. */
export function cliCopyFolder(words: Omit<UserWords, 'userId'>): string {
  return join(userDataFolder(words), 'arduino');
}

/**
 * Copies this CLI, with the packages that it loads, to the user's data folder. An earlier copy is replaced as a whole. The copy also
 * contains the path of Node.js, because an IDE that is started from the desktop does not have the PATH of a shell.
 *
 * @throws OtaError FILE_NOT_FOUND, FILE_UNWRITABLE
 */
export async function installCliCopy({ node, cli }: OwnProgram, words: Omit<UserWords, 'userId'>): Promise<CliCopy> {
  const folder = cliCopyFolder(words);
  const ownPackage = dirname(dirname(cli));
  const launcher = await readNamedFile(join(ownPackage, 'hooks', 'arduino.py'), 'launcher of the hooks');
  const fresh = `${folder}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(fresh, { recursive: true });
    await copyOwnFiles(ownPackage, fresh);
    await copyDependencies(ownPackage, fresh, fresh);
    await writeFile(join(fresh, nodeName), `${node}\n`);
    await replaceFolder(fresh, folder);
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
    throw writeError(folder, cause);
  }
  return { folder, launcher: Buffer.from(launcher) };
}

/** Removes the copy. The caller must check that no core has hooks that run the copy. */
export async function removeCliCopy(words: Omit<UserWords, 'userId'>): Promise<void> {
  const folder = cliCopyFolder(words);
  await rm(folder, { recursive: true, force: true }).catch((cause) => {
    throw writeError(folder, cause);
  });
}

/** Returns the path of Node.js that a copy contains. The file at this path may no longer exist. */
export async function nodeOfCopy(folder: string): Promise<string | undefined> {
  const bytes = await readOptionalFile(join(folder, nodeName));
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8').trim();
}

/** Copies package.json and the scripts of ota-hooks, without the declarations and schemas for editors. */
async function copyOwnFiles(from: string, to: string): Promise<void> {
  await cp(join(from, 'package.json'), join(to, 'package.json'));
  const unused = ['types', 'schema'].map((name) => join(from, 'dist', name));
  await cp(join(from, 'dist'), join(to, 'dist'), { recursive: true, filter: (path) => !unused.includes(path) });
}

/**
 * Copies the dependencies of a package, and their dependencies, so that each package loads the same versions as in the original. All
 * dependencies of a package are copied before those of the next level, because a nested package hides one that is higher in the tree.
 */
async function copyDependencies(from: string, to: string, root: string): Promise<void> {
  const added: [from: string, to: string][] = [];
  for (const name of await dependenciesOf(from)) {
    const source = findPackage(realpathSync(from), name);
    if (source === undefined) continue;
    const present = findPackage(to, name, root);
    if (present !== undefined && (await isSamePackage(present, source))) continue;
    const target = join(present === undefined ? root : to, 'node_modules', name);
    await cp(source, target, {
      recursive: true,
      filter: (path) => path === source || basename(path) !== 'node_modules',
    });
    added.push([source, target]);
  }
  for (const [source, target] of added) await copyDependencies(source, target, root);
}

/** Finds an installed package as Node.js does: in the `node_modules` of a folder or of its parents. */
function findPackage(from: string, name: string, root?: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    if (folder === root || dirname(folder) === folder) return undefined;
  }
}

async function isSamePackage(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map(manifestOf));
  return first?.version === second?.version;
}

async function dependenciesOf(folder: string): Promise<readonly string[]> {
  return Object.keys((await manifestOf(folder)).dependencies ?? {});
}

async function manifestOf(folder: string): Promise<{ version?: string; dependencies?: Record<string, string> }> {
  // npm parsed this file when it installed the package, so the file is valid.
  return JSON.parse(Buffer.from(await readNamedFile(join(folder, 'package.json'), 'package')).toString('utf8'));
}

/** Replaces a folder with two renames, so that the folder is missing only for a short time. */
async function replaceFolder(fresh: string, folder: string): Promise<void> {
  const old = `${fresh}.old`;
  if (existsSync(folder)) await retryWhileInUse(() => rename(folder, old));
  await retryWhileInUse(() => rename(fresh, folder));
  await rm(old, { recursive: true, force: true });
}
