import { dirname, join } from 'node:path';
import glob from 'fast-glob';
import { type CoreCapabilities, coreCapabilities } from '../../../core/device-model/cores.ts';
import { textOrNothing } from '../../../files/read.ts';
import { arduinoFolders, findInstalledCores, type InstalledCore } from '../../build/arduino-cores.ts';
import type { Check, DoctorFinding } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { platformioFolder } from '../platformio-folder.ts';

type Release = Pick<InstalledCore, 'folder' | 'version'>;

/** Reports core releases with known update problems, before a build uses such a release. */
export const coreRelease: Check = async (context) => {
  const folders = arduinoFolders(context.env, context.platform, context.home);
  const cores = [...(await findInstalledCores(folders)), ...(await frameworks(context))];
  const findings = cores.flatMap((core) => ofCore(core, context));
  if (findings.length > 0 || cores.length === 0) return findings;
  return [{ level: 'ok', message: 'No installed core is known to be unsafe' }];
};

/** Finds PlatformIO's core packages. Package versions contain the core version: 3.20702.0 is core 2.7.2. */
async function frameworks(context: CheckContext): Promise<readonly Release[]> {
  const packages = join(platformioFolder(context), 'packages');
  const found = await glob('framework-arduinoespressif8266*/package.json', { cwd: packages, absolute: true });
  return Promise.all(
    found.map(async (path) => {
      const packed = /"version"\s*:\s*"\d+\.(\d)(\d{2})(\d{2})\./.exec(await textOrNothing(path));
      return { folder: dirname(path), version: packed?.slice(1).map(Number).join('.') };
    }),
  );
}

function ofCore({ folder, version }: Release, context: CheckContext): readonly DoctorFinding[] {
  const capabilities = coreCapabilities(version);
  const problem = capabilities === undefined ? undefined : problemOf(capabilities);
  if (problem === undefined) return [];
  return [
    { level: 'warning', message: `Core ${version} (${context.path(folder)}): ${problem.message}`, fix: problem.fix },
  ];
}

function problemOf(capabilities: CoreCapabilities): { readonly message: string; readonly fix: string } | undefined {
  const fix = 'Install core 3.1.2, or at least 2.7.4';
  if (capabilities.hangsOnXmcFlash) {
    return { message: 'its eboot hangs on XMC flash at the next update, so preflight blocks its images', fix };
  }
  if (capabilities.comparesAfterCopy) {
    return {
      message: 'its eboot hangs after an update whose copy overlaps the staged bytes, so preflight blocks its images',
      fix,
    };
  }
  switch (capabilities.signing) {
    case 'none':
      return { message: 'its Updater does not verify signatures: devices accept any update', fix };
    case 'legacy':
      return {
        message: 'its devices accept only legacy signatures',
        fix: `${fix}, or set "legacy": true in ota.config.json`,
      };
    case 'current':
      return undefined;
  }
}
