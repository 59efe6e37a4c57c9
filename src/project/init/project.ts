import { basename, join } from 'node:path';
import { hookedEnvironments, type ProjectEnvironments } from '../build/hooked-environments.ts';
import type { PlatformioPlace } from '../build/platformio-query.ts';
import { findProjectFolder, type ProjectFolder } from '../build/project-folder.ts';
import { readText } from './text-file.ts';

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

/** Returns the project name, which is the name of the project folder. */
export function projectNameOf({ folder }: ProjectFolder): string {
  return basename(folder);
}
