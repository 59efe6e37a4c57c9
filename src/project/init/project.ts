import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { detectBuildSystem } from '../build/detect.ts';
import { environmentsOf, type IniFile, readIni } from '../build/platformio-ini.ts';
import { esp8266Sections } from './hook-line.ts';
import { readText } from './text-file.ts';

/** Project found in a folder. */
export interface Project {
  /** Folder that contains platformio.ini or the sketch. */
  readonly folder: string;
  readonly system: 'platformio' | 'arduino';
  /** Content of platformio.ini, one character per byte. */
  readonly ini: IniFile | undefined;
  /** Sections of platformio.ini for ESP8266 environments. */
  readonly sections: readonly string[];
  /** Board from `sketch.yaml`. If this value is set, arduino-cli needs no board option. */
  readonly defaultFqbn: string | undefined;
}

/**
 * Finds the project in a folder or in a subfolder. Subfolders are searched, because a sketch is often in a folder below the folder with
 * package.json. Exactly one subfolder may contain a project.
 *
 * @throws OtaError PROJECT_FOLDER_UNSAFE, PROJECT_AMBIGUOUS, PROJECT_NOT_FOUND, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function findProject(folder: string, home: string): Promise<Project> {
  if (folder === home || dirname(folder) === folder) {
    const place = folder === home ? 'your home folder' : 'the root of the disk';
    throw new OtaError('PROJECT_FOLDER_UNSAFE', { folder, place });
  }
  const here = detectBuildSystem(folder);
  if (here !== undefined) return describe(folder, here);
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
  return describe(join(folder, only.name), only.system);
}

/** Returns the project name, which is the name of the project folder. */
export function projectNameOf({ folder }: Project): string {
  return basename(folder);
}

async function describe(folder: string, system: Project['system']): Promise<Project> {
  if (system === 'arduino') {
    const settings = (await readText(join(folder, 'sketch.yaml'))) ?? '';
    const defaultFqbn = /^default_fqbn:\s*["']?([^\s"'#]+)/m.exec(settings)?.[1];
    return { folder, system, ini: undefined, sections: [], defaultFqbn };
  }
  const ini = readIni((await readText(join(folder, 'platformio.ini'))) ?? '');
  const sections = environmentsOf(ini).length === 0 ? [] : esp8266Sections(ini);
  return { folder, system, ini, sections, defaultFqbn: undefined };
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
