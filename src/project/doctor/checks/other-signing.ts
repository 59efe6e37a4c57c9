import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import glob from 'fast-glob';
import { arduinoFolders, findInstalledCores } from '../../build/arduino-cores.ts';
import { scriptsOf } from '../../init/hook-line.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { platformioFolder } from '../platformio-folder.ts';
import { platformioOf, type World } from '../world.ts';

const header = 'Updater_Signing.h';

/** Checks for leftovers of other signing tools. A header inside the framework affects every project on this machine. */
export const otherSigning: Check = {
  about: 'no other signing is in the way',
  run: async (world) => {
    const frameworks = await frameworkFolders(world);
    const findings = [
      ...(await Promise.all(frameworks.map((folder) => headersIn(world, folder)))).flat(),
      ...(await headersOfProject(world)),
      ...(await signingScripts(world)),
    ];
    if (findings.length > 0) return findings;
    return frameworks.length === 0 ? [] : [{ level: 'ok', says: 'no header of another signing tool is in the way' }];
  },
};

async function frameworkFolders(world: World): Promise<readonly string[]> {
  const packages = join(platformioFolder(world), 'packages');
  const platformio = await glob('framework-arduinoespressif8266*', {
    cwd: packages,
    onlyDirectories: true,
    absolute: true,
  });
  const arduino = await findInstalledCores(arduinoFolders(world.env, world.platform, world.home));
  return [...platformio, ...arduino.map(({ folder }) => folder)];
}

async function headersIn(world: World, framework: string): Promise<readonly DoctorFinding[]> {
  const places = ['cores/*', 'libraries/*/src', 'tools/sdk/include', 'variants/*'].map((place) => `${place}/${header}`);
  const found = await glob(places, { cwd: framework, absolute: true });
  const signing = await Promise.all(found.map(definesSigning));
  return found
    .filter((_, index) => signing[index] === true)
    .map((path) => ({
      level: 'warning',
      says: `${world.path(path)} holds a key: whatever is built without our hooks on this machine checks updates with it`,
      mend: 'Take it out by installing the framework anew; another script has written it there',
    }));
}

/** Returns whether a header enables signing. The core's own header disables it. */
async function definesSigning(path: string): Promise<boolean> {
  const text = await readFile(path, 'latin1').catch(() => '');
  return /^\s*#\s*define\s+ARDUINO_SIGNING\s+1/m.test(text);
}

/** Reports headers of the project that may shadow the generated one. */
async function headersOfProject(world: World): Promise<readonly DoctorFinding[]> {
  if (world.project === undefined) return [];
  const { folder } = world.project;
  const places = [header, `include/${header}`, `src/**/${header}`, `lib/**/${header}`];
  const found = await glob(places, { cwd: folder, absolute: true, suppressErrors: true });
  return found.map((path) => ({
    level: 'warning',
    says: `${world.path(path)} may hide the header that the build makes`,
    mend: 'Remove it: the hook makes one in each build',
  }));
}

async function signingScripts(world: World): Promise<readonly DoctorFinding[]> {
  const { ini, sections } = platformioOf(world) ?? {};
  if (ini === undefined || sections === undefined) return [];
  const scripts = new Set(sections.flatMap((section) => scriptsOf(ini, section)));
  const others = [...scripts].map((script) => script.replace(/^(?:pre|post):/, '')).filter((script) => !isOurs(script));
  const texts = await Promise.all(others.map((script) => readFile(inProject(world, script), 'latin1').catch(() => '')));
  return others
    .filter((_, index) => /Updater_Signing\.h|signing\.py/.test(texts[index] ?? ''))
    .map((script) => ({
      level: 'warning',
      says: `platformio.ini runs ${script}, which signs as well: two signers overwrite each other's files`,
      mend: 'Take one of them out of extra_scripts',
    }));
}

function isOurs(script: string): boolean {
  return /[\\/]hooks[\\/]platformio\.py$/.test(script);
}

function inProject(world: World, script: string): string {
  return isAbsolute(script) ? script : join(world.project?.folder ?? world.folder, script);
}
