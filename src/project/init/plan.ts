import { arduinoFolders, findInstalledCores } from '../build/arduino-cores.ts';
import { hasIdeHooks } from '../build/arduino-ide.ts';
import { projectSettings } from '../config/settings.ts';
import { configPart } from './config.ts';
import { hookPart } from './hook.ts';
import { ignorePart } from './ignore.ts';
import type { Installation } from './installation.ts';
import { keysPart } from './keys.ts';
import { nodePart } from './node.ts';
import { nameOf, type Project } from './project.ts';
import type { Part, Step } from './step.ts';

export interface PlanRequest {
  readonly project: Project;
  readonly installation: Installation;
  /** Of the firmware, where there is no configuration yet; the folder's by default. */
  readonly projectName?: string | undefined;
  /** The installed cores that the Arduino IDE is to be hooked into. */
  readonly coreFolders: readonly string[];
  /** The Node.js that runs. */
  readonly node: string;
}

/**
 * What is still to be done until the next build is signed. Nothing is written; and what `git` must not see is named to it before it is
 * there.
 *
 * @throws OtaError for keys and configurations that are there and bad
 */
export async function planSetup({ project, installation, projectName, coreFolders, node }: PlanRequest): Promise<Part> {
  const settings = await projectSettings({ source: project.folder }, project.folder);
  const keys = await keysPart(project, settings);
  // A key of ours must stay hidden as long as it is there, whatever is taken back; one that was there before is its owner's business.
  const made = keys.steps.find((step) => step.kind === 'keys');
  const guards = made === undefined ? {} : { guards: made.privateKey };
  const ignored = await ignorePart(project.folder, [
    ...(keys.isBeside ? [{ line: 'private.key', ...guards }] : []),
    { line: '.ota/', ...guards },
  ]);
  const config =
    settings.configPath === undefined
      ? configPart(project, installation, { project: projectName ?? nameOf(project), isEncrypted: keys.isEncrypted })
      : undefined;
  const parts = [ignored, keys, config, hookPart(project, installation), await nodePart(project, node)];
  const cores = coreFolders.map((folder): Step => ({ kind: 'core', folder, says: `hook the core in ${folder}` }));
  return {
    steps: [...parts.flatMap((part) => part?.steps ?? []), ...cores],
    notes: parts.flatMap((part) => part?.notes ?? []),
  };
}

/** The installed cores that have no hooks. */
export async function coresWithoutHooks(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
  home: string,
): Promise<readonly string[]> {
  const cores = await findInstalledCores(arduinoFolders(env, platform, home));
  const hooked = await Promise.all(cores.map(({ folder }) => hasIdeHooks(folder)));
  return cores.filter((_, index) => hooked[index] !== true).map(({ folder }) => folder);
}
