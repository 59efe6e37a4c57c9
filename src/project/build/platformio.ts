import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularSync } from '../../files/bounded-read.ts';
import type { Program } from './run-program.ts';

/** Line for platformio.ini. Its path is the location of the package after `npm install` in the project. */
export const platformioHookLine = 'extra_scripts = pre:node_modules/ota-hooks/hooks/platformio.py';

/** Finds `pio`. The PlatformIO installer and the IDE extensions install it in a separate environment that is not on the PATH. */
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
 * Returns the environment variables that add the hook to one build. PlatformIO appends PLATFORMIO_EXTRA_SCRIPTS to the project's scripts.
 * No file is written.
 */
export function platformioEnvironment(
  folder: string,
  hookScript: string,
  { configPath, requireSigned }: { readonly configPath: string | undefined; readonly requireSigned: boolean },
): Record<string, string> {
  const ini = readRegularSync(join(folder, 'platformio.ini')).toString('utf8');
  // If platformio.ini contains the hook, the hook is not added again, because PlatformIO rebuilds all files if the set of scripts changes.
  const hooked = /^[^;#]*ota-hooks.*platformio\.py/m.test(ini);
  return {
    ...(hooked ? {} : { PLATFORMIO_EXTRA_SCRIPTS: `pre:${hookScript}` }),
    ...(configPath === undefined ? {} : { OTA_CONFIG: configPath }),
    ...(requireSigned ? { OTA_REQUIRE_SIGNED: 'yes' } : {}),
  };
}
