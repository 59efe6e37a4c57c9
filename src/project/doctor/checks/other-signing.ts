import { isAbsolute, join } from 'node:path';
import glob from 'fast-glob';
import { textOrNothing } from '../../../files/read.ts';
import { arduinoFolders, findInstalledCores } from '../../build/arduino-cores.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, platformioOf } from '../context.ts';
import { platformioFolder } from '../platformio-folder.ts';

const header = 'Updater_Signing.h';

/** Checks for leftovers from other signing tools. A header inside the framework affects every project on this machine. */
export const otherSigning: Check = async (context) => {
  const frameworks = await frameworkFolders(context);
  const findings = [
    ...(await Promise.all(frameworks.map((folder) => headersIn(context, folder)))).flat(),
    ...(await headersOfProject(context)),
    ...(await signingScripts(context)),
  ];
  if (findings.length > 0) return findings;
  return frameworks.length === 0 ? [] : [{ level: 'ok', message: 'No other signing tool found' }];
};

async function frameworkFolders(context: CheckContext): Promise<readonly string[]> {
  const packages = join(platformioFolder(context), 'packages');
  const platformio = await glob('framework-arduinoespressif8266*', {
    cwd: packages,
    onlyDirectories: true,
    absolute: true,
  });
  const arduino = await findInstalledCores(arduinoFolders(context.env, context.platform, context.home));
  return [...platformio, ...arduino.map(({ folder }) => folder)];
}

async function headersIn(context: CheckContext, framework: string): Promise<readonly DoctorFinding[]> {
  const places = ['cores/*', 'libraries/*/src', 'tools/sdk/include', 'variants/*'].map((place) => `${place}/${header}`);
  const found = await glob(places, { cwd: framework, absolute: true });
  const signing = await Promise.all(found.map(definesSigning));
  return found
    .filter((_, index) => signing[index] === true)
    .map((path) => ({
      level: 'warning',
      message: `${context.path(path)} contains a key: builds on this machine without the hooks verify updates with it`,
      fix: 'Reinstall the framework: a different tool wrote the header there',
    }));
}

/** Returns true if a header enables signing. The core's own header disables signing. */
async function definesSigning(path: string): Promise<boolean> {
  const text = await textOrNothing(path);
  return /^\s*#\s*define\s+ARDUINO_SIGNING\s+1/m.test(text);
}

/** Reports headers in the project that may hide the generated header. */
async function headersOfProject(context: CheckContext): Promise<readonly DoctorFinding[]> {
  if (context.project === undefined) return [];
  const { folder } = context.project;
  const places = [header, `include/${header}`, `src/**/${header}`, `lib/**/${header}`];
  const found = await glob(places, { cwd: folder, absolute: true, suppressErrors: true });
  return found.map((path) => ({
    level: 'warning',
    message: `${context.path(path)} may hide the header that the hook generates`,
    fix: 'Remove the file; the hook generates one in each build',
  }));
}

async function signingScripts(context: CheckContext): Promise<readonly DoctorFinding[]> {
  const environments = platformioOf(context)?.esp8266 ?? [];
  const scripts = new Set(
    environments.flatMap(({ scripts, hook }) => scripts.filter((script) => script !== hook.script)),
  );
  const others = [...scripts].map((script) => script.replace(/^(?:pre|post):/, ''));
  const texts = await Promise.all(others.map((script) => textOrNothing(inProject(context, script))));
  return others
    .filter((_, index) => /Updater_Signing\.h|signing\.py/.test(texts[index] ?? ''))
    .map((script) => ({
      level: 'warning',
      message: `platformio.ini runs ${script}, which signs as well: two signing tools overwrite each other's files`,
      fix: 'Remove that script or the hook from extra_scripts',
    }));
}

function inProject(context: CheckContext, script: string): string {
  return isAbsolute(script) ? script : join(context.project?.folder ?? context.folder, script);
}
