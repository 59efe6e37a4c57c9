import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { configFileNames } from '../config/load.ts';
import { isUsersOwn } from '../config/owner.ts';
import { defaultKeyNames } from '../config/settings.ts';
import type { UserWords } from '../config/user-words.ts';
import { detectBuildSystem } from './detect.ts';

/** Folder of a project. */
export interface ProjectFolder {
  /** Folder that contains platformio.ini or the sketch. */
  readonly folder: string;
  readonly system: 'platformio' | 'arduino';
}

/**
 * Finds the project in a folder or in a subfolder. Subfolders are searched, because a sketch is often in a folder below the folder with
 * package.json. Exactly one subfolder may contain a project.
 *
 * @throws OtaError PROJECT_FOLDER_UNSAFE, PROJECT_AMBIGUOUS, PROJECT_NOT_FOUND, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export function findProjectFolder(folder: string, home: string): ProjectFolder {
  if (folder === home || dirname(folder) === folder) {
    const place = folder === home ? 'your home folder' : 'the root of the disk';
    throw new OtaError('PROJECT_FOLDER_UNSAFE', { folder, place });
  }
  const here = detectBuildSystem(folder);
  if (here !== undefined) return { folder, system: here };
  const [only, another, ...others] = projectsBelow(folder);
  if (only === undefined) throw new OtaError('PROJECT_NOT_FOUND', { folder });
  if (another !== undefined) {
    const projects = [only.name, another.name, ...others.map(({ name }) => name)] as const;
    throw new OtaError('PROJECT_AMBIGUOUS', { folder, projects });
  }
  return { folder: join(folder, only.name), system: only.system };
}

/**
 * Returns the folder whose project a command uses if no option names one: `cwd`, or the only project below `cwd`. If `cwd`
 * contains a configuration or keys, `cwd` is used. A project of a different user is not used, because its keys would replace the user's.
 */
export function defaultProjectFolder(cwd: string, words: UserWords): string {
  if (cwd === words.home || dirname(cwd) === cwd) return cwd;
  const own = [...configFileNames, ...Object.values(defaultKeyNames)];
  if (detectBuildSystem(cwd) !== undefined || own.some((name) => existsSync(join(cwd, name)))) return cwd;
  const [only, another] = projectsBelow(cwd);
  if (only === undefined || another !== undefined) return cwd;
  const folder = join(cwd, only.name);
  const { uid } = statSync(folder);
  return isUsersOwn(uid, words) || uid === statSync(cwd).uid ? folder : cwd;
}

function projectsBelow(folder: string): readonly { name: string; system: ProjectFolder['system'] }[] {
  return subfolders(folder).flatMap((name) => {
    const system = detectBuildSystem(join(folder, name));
    return system === undefined ? [] : [{ name, system }];
  });
}

function subfolders(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    const isMeant = (name: string) => !name.startsWith('.') && name !== 'node_modules';
    return entries.filter((entry) => entry.isDirectory() && isMeant(entry.name)).map(({ name }) => name);
  } catch (cause) {
    // Errors from fs are system errors. The code identifies the cause.
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new OtaError('FILE_NOT_FOUND', { path: folder, what: 'folder' }, cause);
    throw new OtaError('FILE_UNREADABLE', { path: folder, reason: code ?? String(cause) }, cause);
  }
}
