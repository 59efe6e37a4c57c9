import { join } from 'node:path';
import type { World } from './world.ts';

/** Where PlatformIO keeps its packages. */
export function platformioFolder({ env, home }: Pick<World, 'env' | 'home'>): string {
  return env['PLATFORMIO_CORE_DIR'] ?? join(env['PLATFORMIO_HOME_DIR'] ?? home, '.platformio');
}
