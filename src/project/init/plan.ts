import { arduinoFolders, findInstalledCores } from '../build/arduino-cores.ts';
import { hasIdeHooks } from '../build/arduino-ide.ts';
import { projectSettings } from '../config/settings.ts';
import type { UserWords } from '../config/user-words.ts';
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
 * Plans the missing steps for a signed build. Nothing is written. For files that git must not track, a step that adds them to
 * `.gitignore` comes first.
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
  const ignored = await planIgnore(project.folder, [
    ...(keys.isBeside ? [{ line: 'private.key', ...guards }] : []),
    { line: '.ota/', ...guards },
  ]);
  const config = planConfig(project, installation, settings, keys, projectName ?? projectNameOf(project));
  const parts = [ignored, keys, config, hook, await planNode(project, node)];
  const cores = coreFolders.map(
    (folder): InitStep => ({ kind: 'core', folder, description: `install the hooks in the core in ${folder}` }),
  );
  return {
    steps: [...parts.flatMap((part) => part.steps), ...cores],
    notes: parts.flatMap((part) => part.notes),
    hooked: hook.hooked,
  };
}

/** Returns the folders of installed cores without hooks. */
export async function coresWithoutHooks(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  home: string,
): Promise<readonly string[]> {
  const cores = await findInstalledCores(arduinoFolders(env, platform, home));
  const hooked = await Promise.all(cores.map(({ folder }) => hasIdeHooks(folder)));
  return cores.filter((_, index) => hooked[index] !== true).map(({ folder }) => folder);
}
