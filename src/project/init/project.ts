import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { detectBuildSystem } from '../build/detect.ts';
import { hookedEnvironments, type ProjectEnvironments } from '../build/hooked-environments.ts';
import type { PlatformioPlace } from '../build/platformio-query.ts';
import { readText } from './text-file.ts';

/** Folder of a project. */
export interface ProjectFolder {
  /** Folder that contains platformio.ini or the sketch. */
  readonly folder: string;
  readonly system: 'platformio' | 'arduino';
}

/** Project found in a folder. */
export interface Project extends ProjectFolder {
  /** Environments of a PlatformIO project. */
  readonly platformio: ProjectEnvironments | undefined;
  /** Board from `sketch.yaml`. If this value is set, arduino-cli needs no board option. */
  readonly defaultFqbn: string | undefined;
}

/**
 * Finds the project of {@link findProjectFolder} and reads it.
 *
 * @throws OtaError those of findProjectFolder and {@link hookedEnvironments}
 */
export async function findProject(folder: string, place: PlatformioPlace): Promise<Project> {
  const found = findProjectFolder(folder, place.home);
  if (found.system === 'platformio') {
    return { ...found, platformio: await hookedEnvironments(found.folder, place), defaultFqbn: undefined };
  }
  const settings = (await readText(join(found.folder, 'sketch.yaml'))) ?? '';
  const defaultFqbn = /^default_fqbn:\s*["']?([^\s"'#]+)/m.exec(settings)?.[1];
  return { ...found, platformio: undefined, defaultFqbn };
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
  const below = subfolders(folder).flatMap((name) => {
    const system = detectBuildSystem(join(folder, name));
    return system === undefined ? [] : [{ name, system }];
  });
  const [only, another, ...others] = below;
  if (only === undefined) throw new OtaError('PROJECT_NOT_FOUND', { folder });
  if (another !== undefined) {
    const projects = [only.name, another.name, ...others.map(({ name }) => name)] as const;
    throw new OtaError('PROJECT_AMBIGUOUS', { folder, projects });
  }
  return { folder: join(folder, only.name), system: only.system };
}

/** Returns the project name, which is the name of the project folder. */
export function projectNameOf({ folder }: ProjectFolder): string {
  return basename(folder);
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
