import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isBelow, realPathOf } from '../../files/real-path.ts';
import { relativePath } from '../../files/relative-path.ts';
import { arduinoFolders, findInstalledCores } from '../build/arduino-cores.ts';
import { hasIdeHooks } from '../build/arduino-ide.ts';
import { type ProjectSettings, projectSettings } from '../config/settings.ts';
import type { UserWords } from '../config/user-words.ts';
import { environmentKeys } from '../keys/environment-keys.ts';
import { gitTracking } from '../keys/git-tracking.ts';
import { planConfig } from './config.ts';
import { planHook } from './hook.ts';
import { planIgnore } from './ignore.ts';
import type { Installation } from './installation.ts';
import { planKeys } from './keys.ts';
import { planNode } from './node.ts';
import { type Project, projectNameOf } from './project.ts';
import type { InitStep, SetupPlan } from './step.ts';

export interface PlanRequest {
  readonly project: Project;
  readonly installation: Installation;
  /** Project name for a new configuration. Defaults to the folder name. */
  readonly projectName?: string | undefined;
  /** Installed cores that need the Arduino IDE hooks. */
  readonly coreFolders: readonly string[];
  /** Path of the running Node.js executable. */
  readonly node: string;
  readonly words: UserWords;
  /** Names of environments with an unknown chip that build ESP8266 firmware, according to the user. */
  readonly confirmed: readonly string[];
}

/**
 * Plans the missing steps for a signed build. Nothing is written. Files that git must not track are added to `.gitignore` before the other
 * steps.
 *
 * @throws OtaError INIT_NO_ESP8266, or if existing keys or configurations are invalid
 */
export async function planSetup({
  project,
  installation,
  projectName,
  coreFolders,
  node,
  words,
  confirmed,
}: PlanRequest): Promise<SetupPlan & { readonly hooked: readonly string[] }> {
  // Planned first: a project without ESP8266 environments needs no keys.
  const hook = planHook(project, installation, confirmed);
  const settings = await projectSettings({ source: project.folder }, project.folder, words);
  const keys = await planKeys(project, settings);
  // A key created by init must stay ignored as long as it exists, even after an undo. An older key is the user's responsibility.
  const made = keys.steps.find((step) => step.kind === 'keys');
  const guards = made === undefined ? {} : { guards: made.privateKey };
  const own = keysInProject(project, settings, words.home);
  const ignored = await planIgnore(project.folder, [
    ...(keys.isBeside ? [{ line: 'private.key', ...guards }] : []),
    ...own.filter((line) => line !== 'private.key').map((line) => ({ line })),
    { line: '.ota/', ...guards },
    ...(dirname(dirname(installation.folder)) === project.folder ? [{ line: 'node_modules/' }] : []),
  ]);
  const tracked = own
    .filter((line) => gitTracking(join(project.folder, line)) === 'tracked')
    .map((line) => `${line} is already tracked by git: run git rm --cached ${line}, and replace the key pair`);
  const config = planConfig(project, installation, settings, keys, projectName ?? projectNameOf(project));
  const parts = [ignored, keys, config, hook, await planNode(project, node)];
  return {
    steps: [...parts.flatMap((part) => part.steps), ...coreFolders.map(planCore)],
    notes: [...parts.flatMap((part) => part.notes), ...tracked],
    hooked: hook.hooked,
  };
}

export function planCore(folder: string): InitStep {
  const description = `install the hooks in the core in ${folder}, for all sketches on this machine`;
  return { kind: 'core', folder, description };
}

/** Returns the paths of existing private keys below the project folder, which git must not track. */
function keysInProject({ folder, platformio }: Project, settings: ProjectSettings, home: string): readonly string[] {
  const places = environmentKeys(platformio, settings, home).map(({ privateKey }) => privateKey);
  const paths = places.flatMap((place) => (place !== undefined && 'path' in place ? [place.path] : []));
  const inProject = paths.filter((path) => existsSync(path) && isBelow(realPathOf(path), folder));
  return [...new Set(inProject.map((path) => relativePath(folder, path)))];
}

/** Returns the folders of installed cores that support the hooks and do not have them. */
export async function coresWithoutHooks(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  home: string,
): Promise<readonly string[]> {
  const cores = await findInstalledCores(arduinoFolders(env, platform, home));
  const hooked = await Promise.all(cores.map(({ folder }) => hasIdeHooks(folder)));
  return cores
    .filter(({ python }, index) => python !== undefined && hooked[index] !== true)
    .map(({ folder }) => folder);
}
