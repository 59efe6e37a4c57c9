import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import {
  arduinoFolders,
  findInstalledCores,
  type InstalledCore,
  readCore,
} from '../../../project/build/arduino-cores.ts';
import { installIdeHooks, removeUnusedCliCopy, uninstallIdeHooks } from '../../../project/build/arduino-ide.ts';
import { installCliCopy } from '../../../project/build/cli-copy.ts';
import { platformioHookLine } from '../../../project/build/platformio.ts';
import { requireNodeModules } from '../../../project/init/installation.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';

const installCommand = (declaration: Declaration) =>
  command(declaration, 'install <system>', 'Install the hooks in the Arduino IDE, or print the line for PlatformIO', [
    'ota-hooks install arduino',
    'ota-hooks install platformio',
  ])
    .option('--platform <dir>', 'Folder of an installed core (default: all installed esp8266 cores)')
    .option('--publish', 'Also install the hook that publishes builds whose configuration sets publish.afterBuild');

type InstallOptions = OptionsOf<typeof installCommand>;
type UninstallOptions = Omit<InstallOptions, 'publish'>;

export function declareInstall(declaration: Declaration) {
  return installCommand(declaration).action((system, options) => install(system, options, declaration.io));
}

/** Installs the hooks in the Arduino cores, or prints the line for platformio.ini. */
export async function install(system: string, options: InstallOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  if (system === 'platformio') {
    report.say('Add this line to the [env] section of platformio.ini:');
    report.result('install', { line: platformioHookLine }, platformioHookLine);
    return;
  }
  requireNodeModules(io.self.cli);
  const cores = supported(await coresOf(system, options, io), report);
  const copy = await installCliCopy(io.self, io);
  await inEachCore(cores, report, (core) => installIdeHooks(core, copy, { publishes: options.publish }));
  report.say(`The hooks run a copy of ota-hooks: ${report.path(copy.folder)}`);
  report.say(
    'Sketches with a key pair are signed from the next build on. Run this command again after a core upgrade.',
  );
}

/**
 * Skips cores that do not support the hooks.
 *
 * @throws OtaError CORE_UNSUPPORTED if no core supports the hooks
 */
function supported(cores: readonly InstalledCore[], report: Report): readonly InstalledCore[] {
  const old = cores.filter(({ python }) => python === undefined);
  const [first] = old;
  if (first !== undefined && old.length === cores.length) throw new OtaError('CORE_UNSUPPORTED', first);
  for (const { folder } of old) report.warn(new OtaError('CORE_UNSUPPORTED', { folder }).message);
  return cores.filter(({ python }) => python !== undefined);
}

/** Reverts the changes of {@link install}. */
export async function uninstall(system: string, options: UninstallOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  if (system === 'platformio') {
    report.say('Remove the ota-hooks line from extra_scripts in platformio.ini.');
    report.result('uninstall', { line: platformioHookLine });
    return;
  }
  await inEachCore(await coresOf(system, options, io), report, (core) => uninstallIdeHooks(core.folder));
  await removeUnusedCliCopy(io);
}

async function inEachCore(
  cores: readonly InstalledCore[],
  report: Report,
  act: (core: InstalledCore) => Promise<string>,
): Promise<void> {
  const done: { platform: string; version: string | undefined; state: string }[] = [];
  for (const core of cores) {
    const state = await act(core);
    done.push({ platform: core.folder, version: core.version, state });
    report.say(`${state}: ${core.folder}${core.version === undefined ? '' : ` (core ${core.version})`}`);
  }
  report.result('install', done);
}

async function coresOf(system: string, { platform }: UninstallOptions, io: Io): Promise<readonly InstalledCore[]> {
  if (system !== 'arduino') {
    throw new OtaError('OPTION_INVALID', {
      option: 'SYSTEM',
      value: system,
      expected: 'must be arduino or platformio',
    });
  }
  if (platform !== undefined) {
    return [await readCore(resolve(io.cwd, platform))];
  }
  const folders = arduinoFolders(io.env, io.platform, io.home);
  const cores = await findInstalledCores(folders);
  if (cores.length === 0) throw new OtaError('CORE_NOT_FOUND', { folder: folders.data });
  return cores;
}
