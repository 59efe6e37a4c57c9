import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readOptionalFile } from '../../files/read.ts';

/**
 * Returns the folder to search for the project configuration: the given folder, or else the sketch folder that arduino-cli recorded in
 * `build.options.json` beside the file, or else the working directory. `build.options.json` is needed because an upload recipe only knows
 * the build folder.
 *
 * @param file file to send or publish
 */
export async function sourceFolder(named: string | undefined, file: string | undefined, cwd: string): Promise<string> {
  if (named !== undefined || file === undefined) return resolve(cwd, named ?? '.');
  const note = await readOptionalFile(join(dirname(resolve(cwd, file)), 'build.options.json'));
  const noted = note && sketchLocation(Buffer.from(note).toString('utf8'));
  return noted !== undefined && statSync(noted, { throwIfNoEntry: false })?.isDirectory() === true ? noted : cwd;
}

function sketchLocation(text: string): string | undefined {
  try {
    const options: unknown = JSON.parse(text);
    const isNote = typeof options === 'object' && options !== null && 'sketchLocation' in options;
    return isNote && typeof options.sketchLocation === 'string' ? options.sketchLocation : undefined;
  } catch {
    return undefined;
  }
}
