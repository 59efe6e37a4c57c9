import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import glob from 'fast-glob';
import { type CoreCapabilities, coreCapabilities } from '../../../core/device-model/cores.ts';
import { arduinoFolders, findInstalledCores, type InstalledCore } from '../../build/arduino-cores.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { platformioFolder } from '../platformio-folder.ts';
import type { World } from '../world.ts';

/** Checks for core releases that no update should bring to a device, before a build uses one. */
export const coreRelease: Check = {
  about: 'the installed cores make images that can be updated safely',
  run: async (world) => {
    const folders = arduinoFolders(world.env, world.platform, world.home);
    const cores = [...(await findInstalledCores(folders)), ...(await frameworks(world))];
    const findings = cores.flatMap((core) => ofCore(core, world));
    if (findings.length > 0 || cores.length === 0) return findings;
    return [{ level: 'ok', says: 'no installed core is one that builds should not use' }];
  },
};

/** Finds the core packages of PlatformIO. Their versions contain the version of the core: 3.20702.0 holds core 2.7.2. */
async function frameworks(world: World): Promise<readonly InstalledCore[]> {
  const packages = join(platformioFolder(world), 'packages');
  const found = await glob('framework-arduinoespressif8266*/package.json', { cwd: packages, absolute: true });
  return Promise.all(
    found.map(async (path) => {
      const packed = /"version"\s*:\s*"\d+\.(\d)(\d{2})(\d{2})\./.exec(await readFile(path, 'utf8').catch(() => ''));
      return { folder: dirname(path), version: packed?.slice(1).map(Number).join('.') };
    }),
  );
}

function ofCore({ folder, version }: InstalledCore, world: World): readonly DoctorFinding[] {
  const capabilities = coreCapabilities(version);
  const trouble = capabilities === undefined ? undefined : troubleOf(capabilities);
  if (trouble === undefined) return [];
  return [{ level: 'warning', says: `core ${version} (${world.path(folder)}): ${trouble.says}`, mend: trouble.mend }];
}

function troubleOf(capabilities: CoreCapabilities): { readonly says: string; readonly mend: string } | undefined {
  const mend = 'Install a later core: 3.1.2, or at least 2.7.4';
  if (capabilities.hangsOnXmcFlash) {
    return { says: 'its eboot hangs on XMC flash at the next update, and its images are refused', mend };
  }
  if (capabilities.comparesAfterCopy) {
    return { says: 'its eboot hangs when an update overlaps the staged bytes, and its images are refused', mend };
  }
  switch (capabilities.signing) {
    case 'none':
      return { says: 'its Updater knows no signatures: what is built with it takes any update', mend };
    case 'legacy':
      return { says: 'its devices take only signatures of the old form', mend: `${mend}; or set "legacy": true` };
    case 'current':
      return undefined;
  }
}
