import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Detects the build system of a folder by `platformio.ini` or by a sketch (`FOLDER/FOLDER.ino`, as the Arduino tools require). */
export function detectBuildSystem(folder: string): 'platformio' | 'arduino' | undefined {
  if (existsSync(join(folder, 'platformio.ini'))) return 'platformio';
  const name = basename(folder);
  return ['.ino', '.pde'].some((extension) => existsSync(join(folder, name + extension))) ? 'arduino' : undefined;
}
