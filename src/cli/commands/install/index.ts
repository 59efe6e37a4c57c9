import { resolve } from 'node:path';
import { OtaError } from '../../../errors/ota-error.ts';
import {
  arduinoFolders,
  findInstalledCores,
  type InstalledCore,
  readCore,
} from '../../../project/build/arduino-cores.ts';
import type { ArduinoHooks } from '../../../project/build/arduino-hooks.ts';
import { installIdeHooks, uninstallIdeHooks } from '../../../project/build/arduino-ide.ts';
import { platformioHookLine } from '../../../project/build/platformio.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport, type Report } from '../../output/report.ts';

const installCommand = (declaration: Declaration) =>
  command(declaration, 'install <system>', 'Install the hooks in the Arduino IDE, or print the line for PlatformIO', [
    'ota-hooks install arduino',
    'ota-hooks install platformio',
  ]).option('--platform <dir>', 'Folder of an installed core (default: all installed esp8266 cores)');

type InstallOptions = OptionsOf<typeof installCommand>;

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
  const hooks: ArduinoHooks = { nodePath: io.self.node, cliPath: io.self.cli };
  await inEachCore(system, options, io, report, (core) => installIdeHooks(core.folder, hooks));
  report.say(
    'Sketches with a key pair are signed from the next build on. Run this command again after a core upgrade.',
  );
}

/** Reverts the changes of {@link install}. */
export async function uninstall(system: string, options: InstallOptions, io: Io): Promise<void> {
  const report = makeReport(io, options);
  if (system === 'platformio') {
    report.say('Remove the ota-hooks line from extra_scripts in platformio.ini.');
    report.result('uninstall', { line: platformioHookLine });
    return;
  }
  await inEachCore(system, options, io, report, (core) => uninstallIdeHooks(core.folder));
}

async function inEachCore(
  system: string,
  options: InstallOptions,
  io: Io,
  report: Report,
  act: (core: InstalledCore) => Promise<string>,
): Promise<void> {
  if (system !== 'arduino') {
    throw new OtaError('OPTION_INVALID', {
      option: 'SYSTEM',
      value: system,
      expected: 'must be arduino or platformio',
    });
  }
  const done: { platform: string; version: string | undefined; state: string }[] = [];
  for (const core of await coresOf(options, io)) {
    const state = await act(core);
    done.push({ platform: core.folder, version: core.version, state });
    report.say(`${state}: ${core.folder}${core.version === undefined ? '' : ` (core ${core.version})`}`);
  }
  report.result('install', done);
}

async function coresOf({ platform }: InstallOptions, io: Io): Promise<readonly InstalledCore[]> {
  if (platform !== undefined) {
    return [await readCore(resolve(io.cwd, platform))];
  }
  const folders = arduinoFolders(io.env, io.platform, io.home);
  const cores = await findInstalledCores(folders);
  if (cores.length === 0) throw new OtaError('CORE_NOT_FOUND', { folder: folders.data });
  return cores;
}
