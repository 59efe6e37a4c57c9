import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readOptionalFile } from '../../files/read.ts';

/**
 * Returns the folder in which a project's configuration is searched: the given one; otherwise the sketch folder that arduino-cli recorded
 * in `build.options.json` in the build folder, because an upload recipe knows only the build folder; otherwise the working directory.
 *
 * @param file file that is sent or published
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
