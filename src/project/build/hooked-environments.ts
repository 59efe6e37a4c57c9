import { join, resolve } from 'node:path';
import { OtaError } from '../../errors/ota-error.ts';
import { chipOf, type EnvironmentChip, type PlatformFolders } from './environment-chip.ts';
import { hookScripts, type ListedHook } from './hook-script.ts';
import { type PlatformioFiles, readPlatformioFiles } from './platformio-files.ts';
import { effectiveOptions, environmentsOf, itemsOf } from './platformio-ini.ts';
import { type EvaluatedSections, type PlatformioPlace, queryPlatformio } from './platformio-query.ts';

/** Environment of a PlatformIO project. */
export interface ProjectEnvironment {
  readonly name: string;
  readonly chip: EnvironmentChip;
  readonly hook: ListedHook;
  /** Path of the first file that contains the section of the environment. */
  readonly path: string;
  /** Effective options by name. Items of a list are on separate lines. */
  readonly options: ReadonlyMap<string, string>;
  /** Items of `extra_scripts`, with their prefixes. */
  readonly scripts: readonly string[];
}

/** Environments of a project, and the program that evaluated their options. */
export interface ProjectEnvironments {
  readonly files: PlatformioFiles;
  readonly environments: readonly ProjectEnvironment[];
  /** Reason why ota-hooks evaluated the options itself; undefined if PlatformIO evaluated them. */
  readonly fallback: string | undefined;
}

/**
 * Returns the environments of a project: which build ESP8266 firmware, which run the hook, and where each is defined. PlatformIO evaluates
 * the options if it is installed. No code of the project is executed.
 *
 * @param main configuration file, if it is not platformio.ini
 * @throws OtaError FILE_UNREADABLE, PLATFORMIO_INI_INVALID if PlatformIO would reject the project
 */
export async function hookedEnvironments(
  folder: string,
  place: PlatformioPlace,
  main?: string,
): Promise<ProjectEnvironments> {
  const files = await readPlatformioFiles(folder, place.home, main);
  if (environmentsOf(files).length === 0) return { files, environments: [], fallback: undefined };
  const answer =
    main === undefined
      ? await queryPlatformio(files, place)
      : ({ state: 'failed', reason: 'PlatformIO evaluates only platformio.ini' } as const);
  if (answer.state === 'rejected') {
    throw new OtaError('PLATFORMIO_INI_INVALID', { path: join(folder, 'platformio.ini'), reason: answer.reason });
  }
  const sections = answer.state === 'evaluated' ? answer.sections : evaluatedHere(files);
  return {
    files,
    environments: await describeAll(sections, files, place),
    fallback: answer.state === 'evaluated' ? undefined : answer.reason,
  };
}

/** Returns the environments whose builds need the hook and do not run it. Unknown chips count, because the hook checks the chip again. */
export function unhookedEnvironments(environments: readonly ProjectEnvironment[]): readonly ProjectEnvironment[] {
  return environments.filter(({ chip, hook }) => chip !== 'other' && hook.state !== 'hooked');
}

export function esp8266Environments({ environments }: ProjectEnvironments): readonly ProjectEnvironment[] {
  return environments.filter(({ chip }) => chip === 'esp8266');
}

function evaluatedHere(files: PlatformioFiles): EvaluatedSections {
  const names = [...files.byName.keys()].filter((name) => name === 'platformio' || name.startsWith('env:'));
  return new Map(
    names.map((name) => {
      const options = [...effectiveOptions(files, name)].map(([key, value]) => [key, textOf(value)] as const);
      return [textOf(name), new Map(options)];
    }),
  );
}

/** Decodes text of the files, which have one character per byte. */
function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

async function describeAll(
  sections: EvaluatedSections,
  files: PlatformioFiles,
  place: PlatformioPlace,
): Promise<readonly ProjectEnvironment[]> {
  const folders = foldersOf(sections.get('platformio') ?? new Map(), files.folder, place);
  const hooks = hookScripts(files.folder);
  const paths = new Map(files.sections.toReversed().map(({ name, path }) => [textOf(name), path]));
  const chips = new Map<string, Promise<EnvironmentChip>>();
  const chip = (options: ReadonlyMap<string, string>) => {
    // Hundreds of environments share a platform and a few boards.
    const key = JSON.stringify(['platform', 'board', 'board_build.mcu', 'framework'].map((name) => options.get(name)));
    const found = chips.get(key) ?? chipOf(options, folders);
    chips.set(key, found);
    return found;
  };
  const environments = [...sections].filter(([name]) => name.startsWith('env:'));
  return Promise.all(
    environments.map(async ([section, options]) => {
      const scripts = itemsOf(options.get('extra_scripts') ?? options.get('extra_script') ?? '');
      const path = paths.get(section) ?? join(files.folder, 'platformio.ini');
      const name = section.slice('env:'.length);
      return { name, chip: await chip(options), hook: await hooks.hookIn(scripts), path, options, scripts };
    }),
  );
}

/** Returns the folders of PlatformIO. Environment variables such as `PLATFORMIO_CORE_DIR` override the options of the project. */
function foldersOf(
  options: ReadonlyMap<string, string>,
  folder: string,
  { env, home }: PlatformioPlace,
): PlatformFolders {
  const own = (name: string) => {
    const value = options.get(name);
    return value === undefined ? undefined : resolve(folder, value.replace(/^~(?=[\\/]|$)/, home));
  };
  const core = env['PLATFORMIO_CORE_DIR'] ?? own('core_dir') ?? join(env['PLATFORMIO_HOME_DIR'] ?? home, '.platformio');
  const platforms = env['PLATFORMIO_PLATFORMS_DIR'] ?? own('platforms_dir') ?? join(core, 'platforms');
  const boards = env['PLATFORMIO_BOARDS_DIR'] ?? own('boards_dir') ?? join(folder, 'boards');
  return { folder, core, platforms, boards };
}
