import { join } from 'node:path';
import { arduinoFolders, findInstalledCores, type InstalledCore } from '../../build/arduino-cores.ts';
import { headerHook } from '../../build/arduino-hooks.ts';
import { readText } from '../../init/text-file.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { settingsOf, type World } from '../world.ts';

/**
 * Numbered hook, such as `recipe.hooks.sketch.prebuild.1.pattern`. If there is one, arduino-cli 1.3.0 and later ignore the hook without a
 * number, which is ours.
 */
const numbered = new RegExp(
  `^${headerHook.replace('.pattern', '').replaceAll('.', '\\.')}\\.\\d+\\.pattern(?=\\s*=)`,
  'gm',
);

/** Checks for hooks of other tools that can keep the key out of a build by their name alone. */
export const numberedHooks: Check = {
  about: 'no other hook takes the place of that which writes the key',
  run: async (world) => {
    const cores = await findInstalledCores(arduinoFolders(world.env, world.platform, world.home));
    const findings = (await Promise.all(cores.map((core) => ofCore(core, world)))).flat();
    if (findings.length > 0 || cores.length === 0) return findings;
    return [{ level: 'ok', says: 'no other hook hides the one that writes the key' }];
  },
};

async function ofCore({ folder }: InstalledCore, world: World): Promise<readonly DoctorFinding[]> {
  const files = await Promise.all(
    ['platform.txt', 'platform.local.txt'].map(async (name) => ({
      path: join(folder, name),
      hidden: (await readText(join(folder, name)))?.match(numbered) ?? [],
    })),
  );
  const isSigned = world.project?.system === 'arduino' && settingsOf(world)?.publicKey !== undefined;
  return files.flatMap(({ path, hidden }) =>
    hidden.map((name) => ({
      level: isSigned ? 'error' : 'warning',
      says: `${world.path(path)} sets ${name}: arduino-cli then passes over ${headerHook}, which writes the key`,
      mend: 'Take the number out of its name and call both from it, or remove the line',
    })),
  );
}
