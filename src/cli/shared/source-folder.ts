import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { readOptionalFile } from '../../files/read.ts';
import { defaultProjectFolder } from '../../project/build/project-folder.ts';
import { requireTrustedNote } from '../../project/config/build-note.ts';
import type { Io } from '../io.ts';

/**
 * Returns the folder to search for the project configuration. By default, this is the sketch folder named in the `build.options.json`
 * beside the file, or else {@link defaultProjectFolder}. arduino-cli writes `build.options.json` into the build folder, the only folder that an
 * upload recipe receives.
 *
 * @param file path of the file to send or publish
 * @throws OtaError SOURCE_UNTRUSTED
 */
export async function sourceFolder(named: string | undefined, file: string | undefined, io: Io): Promise<string> {
  const { cwd } = io;
  if (named !== undefined) return resolve(cwd, named);
  if (file === undefined) return defaultProjectFolder(cwd, io);
  const build = dirname(resolve(cwd, file));
  const note = await readOptionalFile(join(build, 'build.options.json'));
  const sketch = note && sketchLocation(Buffer.from(note).toString('utf8'));
  if (sketch === undefined || statSync(sketch, { throwIfNoEntry: false })?.isDirectory() !== true)
    return defaultProjectFolder(cwd, io);
  requireTrustedNote({ build, sketch }, cwd, io);
  return sketch;
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
