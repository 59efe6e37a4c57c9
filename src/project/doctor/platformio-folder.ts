import { join } from 'node:path';
import type { CheckContext } from './context.ts';

/** Returns the PlatformIO folder in which packages are installed. */
export function platformioFolder({ env, home }: Pick<CheckContext, 'env' | 'home'>): string {
  return env['PLATFORMIO_CORE_DIR'] ?? join(env['PLATFORMIO_HOME_DIR'] ?? home, '.platformio');
}
