import { join } from 'node:path';
import { arduinoFolders, findInstalledCores, type InstalledCore } from '../../build/arduino-cores.ts';
import { headerHook } from '../../build/arduino-hooks.ts';
import { readText } from '../../init/text-file.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { type CheckContext, settingsOf } from '../context.ts';

/**
 * Numbered hook, such as `recipe.hooks.sketch.prebuild.1.pattern`. If a numbered hook exists, arduino-cli 1.3.0 and later ignore hooks
 * without a number, such as the ota-hooks hook.
 */
const numbered = new RegExp(
  `^${headerHook.replace('.pattern', '').replaceAll('.', '\\.')}\\.\\d+\\.pattern(?=\\s*=)`,
  'gm',
);

/** Checks for other tools' hooks whose names prevent the ota-hooks hook from running. */
export const numberedHooks: Check = async (context) => {
  const cores = await findInstalledCores(arduinoFolders(context.env, context.platform, context.home));
  const findings = (await Promise.all(cores.map((core) => ofCore(core, context)))).flat();
  if (findings.length > 0 || cores.length === 0) return findings;
  return [{ level: 'ok', message: 'No other hook replaces the one that writes the signing header' }];
};

async function ofCore({ folder }: InstalledCore, context: CheckContext): Promise<readonly DoctorFinding[]> {
  const files = await Promise.all(
    ['platform.txt', 'platform.local.txt'].map(async (name) => ({
      path: join(folder, name),
      hidden: (await readText(join(folder, name)))?.match(numbered) ?? [],
    })),
  );
  const isSigned = context.project?.system === 'arduino' && settingsOf(context)?.publicKey !== undefined;
  return files.flatMap(({ path, hidden }) =>
    hidden.map((name) => ({
      level: isSigned ? 'error' : 'warning',
      message: `${context.path(path)} sets ${name}, so arduino-cli ignores ${headerHook}, which writes the signing header`,
      fix: 'Remove the line, or move its command to a hook with a different name, such as recipe.hooks.prebuild',
    })),
  );
}
