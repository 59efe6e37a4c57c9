import { existsSync } from 'node:fs';
import { join } from 'node:path';
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

/** Environment variable with scripts that PlatformIO appends to the scripts of every environment. */
export const extraScriptsVariable = 'PLATFORMIO_EXTRA_SCRIPTS';
