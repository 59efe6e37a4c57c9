import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './run-program.ts';

/** Line to add to platformio.ini; the path is where npm installs the package in a project. */
export const platformioHookLine = 'extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py';

/** Finds `pio`. PlatformIO's installer and the IDE extensions install it in their own environment, which is not on the PATH. */
export function platformioProgram(home: string, platform: NodeJS.Platform): Program {
  const own =
    platform === 'win32'
      ? join(home, '.platformio', 'penv', 'Scripts', 'pio.exe')
      : join(home, '.platformio', 'penv', 'bin', 'pio');
  return {
    name: existsSync(own) ? own : 'pio',
    howToGet: 'Install PlatformIO Core, for example with: python3 -m pip install platformio',
  };
}

/**
 * Returns the variables that add the hook to one build of a project whose platformio.ini does not contain it: PlatformIO appends
 * PLATFORMIO_EXTRA_SCRIPTS to the project's scripts. No file is written.
 */
export function platformioEnvironment(
  folder: string,
  hookScript: string,
  configPath: string | undefined,
): Record<string, string> {
  const ini = readFileSync(join(folder, 'platformio.ini'), 'utf8');
  // The hook detects when it is loaded twice, but PlatformIO rebuilds everything if the set of scripts changes.
  const hooked = /^[^;#]*ota-hooks.*platformio\.py/m.test(ini);
  return {
    ...(hooked ? {} : { PLATFORMIO_EXTRA_SCRIPTS: `pre:${hookScript}` }),
    ...(configPath === undefined ? {} : { OTA_CONFIG: configPath }),
  };
}
