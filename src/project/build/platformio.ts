import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './run-program.ts';

/** The line that a platformio.ini needs; the path is where npm puts the package in a project. */
export const platformioHookLine = 'extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py';

/** PlatformIO's own installer and the IDE extensions put `pio` into an environment of their own, which is not on the PATH. */
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
 * The environment that puts the hook into one build, for a project whose platformio.ini does not name it: PlatformIO adds
 * PLATFORMIO_EXTRA_SCRIPTS to the scripts of the project. Nothing is written.
 */
export function platformioEnvironment(
  folder: string,
  hookScript: string,
  configPath: string | undefined,
): Record<string, string> {
  const ini = readFileSync(join(folder, 'platformio.ini'), 'utf8');
  // The hook knows when it is there twice; but a set of scripts that changes makes PlatformIO build everything anew.
  const hooked = /^[^;#]*ota-hooks.*platformio\.py/m.test(ini);
  return {
    ...(hooked ? {} : { PLATFORMIO_EXTRA_SCRIPTS: `pre:${hookScript}` }),
    ...(configPath === undefined ? {} : { OTA_CONFIG: configPath }),
  };
}
