import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readOptionalFile } from '../../files/read.ts';

/**
 * Returns the folder to search for the project configuration. By default, this is the sketch folder that `build.options.json` beside the
 * file names, or else the working directory. arduino-cli writes `build.options.json` into the build folder, the only folder that an
 * upload recipe receives.
 *
 * @param file path of the file to send or publish
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
