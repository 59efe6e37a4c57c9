import { existsSync } from 'node:fs';

/** @throws Error with one line that names the missing program and the command that installs it */
export function requireProgram(path: string | undefined, name: string, install: string): string {
  if (path !== undefined && existsSync(path)) return path;
  throw new Error(`${name} is not installed. Run: ${install}`);
}
