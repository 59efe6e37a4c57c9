import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readOptionalFile } from '../../files/read.ts';

/**
 * The folder in which a project's configuration is looked for: the one that is named; that of the sketch, where arduino-cli left a note of it
 * in the build folder (`build.options.json`), since an upload recipe is told the build folder only; else where the user stands.
 *
 * @param file what is sent
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
