import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Returns the build system of a folder: `platformio.ini` or a sketch (`FOLDER/FOLDER.ino`, the rule of the Arduino tools). */
export function detectBuildSystem(folder: string): 'platformio' | 'arduino' | undefined {
  if (existsSync(join(folder, 'platformio.ini'))) return 'platformio';
  const name = basename(folder);
  return ['.ino', '.pde'].some((extension) => existsSync(join(folder, name + extension))) ? 'arduino' : undefined;
}
