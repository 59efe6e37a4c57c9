import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { arduinoFolders, findInstalledCores, type InstalledCore } from '../../build/arduino-cores.ts';
import { headerHook, packHook } from '../../build/arduino-hooks.ts';
import { hasIdeHooks, installIdeHooks } from '../../build/arduino-ide.ts';
import { removeBlock } from '../../build/marked-block.ts';
import { readRecord } from '../../init/record.ts';
import { readText } from '../../init/text-file.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { settingsOf, type World } from '../world.ts';

/** Checks the hooks of the Arduino IDE. They are inside an installed core, so an upgrade of the core removes them. */
export const arduinoHooks: Check = {
  about: 'the installed Arduino cores have their hooks, and these can run',
  run: async (world) => {
    const cores = await findInstalledCores(arduinoFolders(world.env, world.platform, world.home));
    if (cores.length === 0) {
      const isWanted = world.project?.system === 'arduino';
      const mend = isWanted ? 'Install the esp8266 platform in the Boards Manager, or with arduino-cli' : undefined;
      return [{ level: isWanted ? 'warning' : 'note', says: 'no ESP8266 core for Arduino is installed', mend }];
    }
    const looks = await Promise.all(cores.map(lookAt));
    const wasInstalled = looks.some(({ state }) => state !== 'absent') || (await initHookedCores(world));
    return looks.flatMap((look) => findingsOf(look, wasInstalled, world));
  },
};

interface Look {
  readonly core: InstalledCore;
  /** `undated`: the lines are present, but the stamp file that disables arduino-cli's core cache is missing or has lost its date. */
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

async function initHookedCores({ project }: World): Promise<boolean> {
  if (project === undefined) return false;
  const entries = await readRecord(project.folder).catch(() => []);
  return entries.some(({ did }) => did === 'core');
}

function findingsOf({ core, state, text }: Look, wasInstalled: boolean, world: World): readonly DoctorFinding[] {
  const name = `core ${core.version ?? '?'} (${world.path(core.folder)})`;
  const hook = {
    says: `hooked ${name}`,
    apply: () => installIdeHooks(core.folder, { nodePath: world.node.path, cliPath: world.cli }),
  };
  const mend = 'ota-hooks install arduino';
  switch (state) {
    case 'damaged': {
      const says = `${name}: the lines of ota-hooks in platform.local.txt are damaged`;
      return [{ level: 'error', says, mend: `Take them out by hand, then: ${mend}` }];
    }
    case 'undated': {
      const says = `${name}: the hooks are there, but arduino-cli may link a cached core with them, and un-sign devices`;
      return [{ level: 'error', says, mend, fix: hook }];
    }
    case 'absent':
      return [withoutHooks(name, wasInstalled, world, { mend, fix: hook })];
    case 'hooked': {
      const findings = [...missingPrograms(name, text, { mend, fix: hook }), ...overridden(name, text)];
      return findings.length > 0 ? findings : [{ level: 'ok', says: `${name} has the hooks` }];
    }
  }
}

type Way = Pick<DoctorFinding, 'mend' | 'fix'>;

function withoutHooks(name: string, wasInstalled: boolean, world: World, way: Way): DoctorFinding {
  if (wasInstalled) {
    const says = `${name} has no hooks, and other ones had: an upgrade of the core takes them away`;
    return { level: 'error', says, ...way };
  }
  const isSignedSketch = world.project?.system === 'arduino' && settingsOf(world)?.publicKey !== undefined;
  if (isSignedSketch) {
    const says = `${name} has no hooks: the IDE and a plain arduino-cli build this sketch without ours`;
    return { level: 'warning', says, mend: `Build with ota-hooks build, or for the IDE: ${way.mend}` };
  }
  return { level: 'note', says: `${name} has no hooks; only builds in the Arduino IDE would need them` };
}

/** Reports programs that do not exist: Node.js or this package may have moved since the installation. */
function missingPrograms(name: string, text: string, way: Way): readonly DoctorFinding[] {
  const recipes = [headerHook, packHook].map((property) => valuesOf(text, property).findLast(isOurs) ?? '');
  return [...new Set(recipes.flatMap(programsOf))]
    .filter((path) => !existsSync(path))
    .map((path) => ({ level: 'error', says: `${name}: the hooks run ${path}, which is not there`, ...way }));
}

/** Reports later lines that set our properties again: the last value wins. */
function overridden(name: string, text: string): readonly DoctorFinding[] {
  return [headerHook, packHook].flatMap((property): DoctorFinding[] => {
    if (isOurs(valuesOf(text, property).at(-1) ?? '')) return [];
    const says = `${name}: platform.local.txt sets ${property} again, behind the lines of ota-hooks`;
    return [{ level: 'error', says, mend: 'Take that line out, or put it before them' }];
  });
}

function isOurs(recipe: string): boolean {
  return /[\\/]cli\.js["' ]/.test(recipe);
}

function valuesOf(text: string, property: string): readonly string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith(`${property}=`));
  return lines.map((line) => Buffer.from(line.slice(property.length + 1), 'latin1').toString('utf8'));
}

/** Returns the first two arguments. A quote that opens an argument closes it before a space. */
function programsOf(recipe: string): readonly string[] {
  const words = /^(?:"(.+?)"|'(.+?)'|(\S+)) (?:"(.+?)"|'(.+?)'|(\S+))(?: |$)/.exec(recipe) ?? [];
  return words.slice(1).filter((word) => word !== undefined);
}
