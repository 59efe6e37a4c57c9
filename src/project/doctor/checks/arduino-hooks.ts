import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { arduinoFolders, findInstalledCores, type InstalledCore } from '../../build/arduino-cores.ts';
import { headerHook, launcherName, packHook, publishHook } from '../../build/arduino-hooks.ts';
import { hasIdeHooks, installIdeHooks, stampName } from '../../build/arduino-ide.ts';
import { cliCopyFolder, installCliCopy, nodeOfCopy, type OwnProgram } from '../../build/cli-copy.ts';
import { removeBlock } from '../../build/marked-block.ts';
import { readRecord } from '../../init/record.ts';
import { readText } from '../../init/text-file.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, settingsOf } from '../context.ts';

/** Checks the Arduino IDE hooks. The hooks are stored inside an installed core, so upgrading the core removes them. */
export const arduinoHooks: Check = async (context) => {
  const cores = await findInstalledCores(arduinoFolders(context.env, context.platform, context.home));
  if (cores.length === 0) {
    const isWanted = context.project?.system === 'arduino';
    const fix = isWanted ? 'Install the esp8266 platform in the Boards Manager or with arduino-cli' : undefined;
    return [{ level: isWanted ? 'warning' : 'note', message: 'No ESP8266 core for Arduino is installed', fix }];
  }
  const looks = await Promise.all(cores.filter(({ python }) => python !== undefined).map(lookAt));
  const wasInstalled = looks.some(({ state }) => state !== 'absent') || (await initHookedCores(context));
  const isUsed = looks.some(({ state }) => state === 'hooked');
  return [
    ...looks.flatMap((look) => findingsOf(look, wasInstalled, context)),
    ...(isUsed ? await copyFindings(context) : []),
  ];
};

interface Look {
  readonly core: InstalledCore;
  /** State of the hooks. `undated`: the hooks are present, but the stamp file is missing or has an incorrect timestamp. */
  readonly state: 'hooked' | 'undated' | 'damaged' | 'absent';
  readonly text: string;
}

async function lookAt(core: InstalledCore): Promise<Look> {
  const text = (await readText(join(core.folder, 'platform.local.txt'))) ?? '';
  const { state } = removeBlock(text);
  if (state === 'damaged') return { core, state, text };
  if (state === 'absent') return { core, state, text };
  return { core, state: (await hasIdeHooks(core.folder)) ? 'hooked' : 'undated', text };
}

async function initHookedCores({ project }: CheckContext): Promise<boolean> {
  if (project === undefined) return false;
  const entries = await readRecord(project.folder).catch(() => []);
  return entries.some(({ action }) => action === 'core');
}

function findingsOf(
  { core, state, text }: Look,
  wasInstalled: boolean,
  context: CheckContext,
): readonly DoctorFinding[] {
  const name = `Core ${core.version ?? 'of unknown version'} (${context.path(core.folder)})`;
  const autofix = {
    done: `installed the hooks in ${name}`,
    apply: async () => installIdeHooks(core, await installCliCopy(ownProgram(context), context)),
  };
  const fix = 'Run ota-hooks install arduino';
  switch (state) {
    case 'damaged': {
      const message = `${name}: the ota-hooks lines in platform.local.txt are damaged`;
      return [{ level: 'error', message, fix: 'Remove these lines by hand, then run ota-hooks install arduino' }];
    }
    case 'undated': {
      const message = `${name}: ${stampName} is missing or has lost its date, so arduino-cli may link a cached core that does not verify updates`;
      return [{ level: 'error', message, fix, autofix }];
    }
    case 'absent':
      return [withoutHooks(name, wasInstalled, context, { fix, autofix })];
    case 'hooked': {
      const findings = [
        ...missingLauncher(name, core, { fix, autofix }),
        ...overridden(name, text),
        ...withoutPublishing(name, text, context),
      ];
      return findings.length > 0 ? findings : [{ level: 'ok', message: `${name} has the hooks` }];
    }
  }
}

type Fixes = Pick<DoctorFinding, 'fix' | 'autofix'>;

function withoutHooks(name: string, wasInstalled: boolean, context: CheckContext, fixes: Fixes): DoctorFinding {
  if (wasInstalled) {
    const message = `${name} has no hooks, although hooks were installed: a core upgrade removes them`;
    return { level: 'error', message, ...fixes };
  }
  const isSignedSketch = context.project?.system === 'arduino' && settingsOf(context)?.publicKey !== undefined;
  if (isSignedSketch) {
    const message = `${name} has no hooks: the Arduino IDE and plain arduino-cli build this sketch without ota-hooks`;
    return { level: 'warning', message, fix: 'Build with ota-hooks build, or run ota-hooks install arduino' };
  }
  return { level: 'note', message: `${name} has no hooks; only builds in the Arduino IDE need them` };
}

function missingLauncher(name: string, { folder }: InstalledCore, fixes: Fixes): readonly DoctorFinding[] {
  if (existsSync(join(folder, launcherName))) return [];
  return [{ level: 'error', message: `${name}: the hooks run ${launcherName}, which does not exist`, ...fixes }];
}

/** Checks the copy of the CLI that the hooks run. */
async function copyFindings(context: CheckContext): Promise<readonly DoctorFinding[]> {
  const folder = cliCopyFolder(context);
  const fixes = {
    fix: 'Run ota-hooks install arduino',
    autofix: {
      done: `copied ota-hooks to ${folder}`,
      apply: () => installCliCopy(ownProgram(context), context),
    },
  };
  if (!existsSync(join(folder, 'dist', 'cli.js'))) {
    return [{ level: 'error', message: `The copy of ota-hooks that the hooks run is missing: ${folder}`, ...fixes }];
  }
  const node = await nodeOfCopy(folder);
  if (node !== undefined && existsSync(node)) return [];
  const message = `The hooks use Node.js at ${node ?? 'an unknown path'}, which does not exist; an IDE started from the desktop may not find another one`;
  return [{ level: 'warning', message, ...fixes }];
}

function ownProgram({ node, cli }: CheckContext): OwnProgram {
  return { node: node.path, cli };
}

function withoutPublishing(name: string, text: string, context: CheckContext): readonly DoctorFinding[] {
  const wanted = settingsOf(context)?.config.publish?.afterBuild ?? false;
  if (wanted === false || context.project?.system !== 'arduino' || valuesOf(text, publishHook).length > 0) return [];
  const message = `${name} has no hook that publishes, although the configuration sets publish.afterBuild`;
  return [{ level: 'warning', message, fix: 'Run ota-hooks install arduino --publish, or build with ota-hooks build' }];
}

/** Reports later lines that set the properties of the hooks again. arduino-cli uses the last value of a property. */
function overridden(name: string, text: string): readonly DoctorFinding[] {
  return [headerHook, packHook].flatMap((property): DoctorFinding[] => {
    if (isOurs(valuesOf(text, property).at(-1) ?? '')) return [];
    const message = `${name}: platform.local.txt sets ${property} again after the ota-hooks lines`;
    return [{ level: 'error', message, fix: 'Remove that line, or move it before the ota-hooks lines' }];
  });
}

function isOurs(recipe: string): boolean {
  return recipe.includes(launcherName);
}

function valuesOf(text: string, property: string): readonly string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith(`${property}=`));
  return lines.map((line) => Buffer.from(line.slice(property.length + 1), 'latin1').toString('utf8'));
}
