import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { OtaError } from '../errors/ota-error.ts';
import { readRegularSync } from '../files/bounded-read.ts';
import { passwordOption, requireRecipePath } from '../project/build/arduino-hooks.ts';

/** Last option of a recipe; its value is the build folder. */
const buildOption = '--arduino-build';

/**
 * Replaces `--arduino-build DIR` at the end of a recipe with the image and the source folder of this build.
 *
 * arduino-cli expands `{build.source.path}` and `{build.project_name}` before it splits a recipe into arguments, so a sketch whose name
 * contains a quote and a space could add arguments. Recipes therefore contain only the build folder, and the names are read from
 * the `build.options.json` in it. Any argument after the build folder can only be a part of the folder's own name.
 *
 * @throws OtaError OPTION_INVALID, FILE_NOT_FOUND, HOOK_ARGUMENT_INVALID
 */
export function withArduinoBuild(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf(buildOption);
  if (at === -1) return argv;
  const [folder, ...more] = argv.slice(at + 1);
  if (folder === undefined || more.length > 0) {
    throw new OtaError('OPTION_INVALID', {
      option: buildOption,
      value: argv.slice(at + 1).join(' '),
      expected: 'must be one folder, as the last argument',
      hint: 'Rename the build folder: a quote followed by a space in its path divides it into several arguments.',
    });
  }
  const { source, mainFile } = readSketch(folder);
  requireRecipePath(join(source, mainFile));
  const image = join(folder, `${mainFile}.bin`);
  const words = argv.slice(0, at);
  const project = words.includes('--source') ? [] : ['--source', source];
  return words[0] === 'header'
    ? [...words, ...project, '--out', join(folder, 'core', 'Updater_Signing.h'), '--image', image]
    : [...words, ...project, image];
}

/**
 * Separates the password that the Arduino IDE prompted for from the arguments of an upload recipe.
 *
 * @throws OtaError OPTION_INVALID without the password
 */
export function splitIdePassword(argv: readonly string[]): { argv: readonly string[]; idePassword?: string } {
  const at = argv.findIndex((word) => word.startsWith(passwordOption));
  if (at === -1) return { argv };
  if (argv[at + 1] !== buildOption) {
    throw new OtaError('OPTION_INVALID', {
      option: passwordOption.slice(0, -1),
      value: '(hidden)',
      expected: 'must not contain a quote followed by a space, at which arduino-cli splits the arguments of a recipe',
      hint: 'Set the password in ota.config.json, for example "upload": {"password": {"file": "password.txt"}}.',
    });
  }
  const password = argv[at]?.slice(passwordOption.length) ?? '';
  const others = argv.toSpliced(at, 1);
  // Older versions of arduino-cli keep a placeholder without a value.
  return /^(?:\{[\w.]+\})?$/.test(password) ? { argv: others } : { argv: others, idePassword: password };
}

/** Reads the sketch location from the build folder. The main file of a sketch is named after the sketch folder. */
function readSketch(folder: string): { source: string; mainFile: string } {
  const path = join(folder, 'build.options.json');
  const location = sketchLocation(path);
  const isFile = location !== undefined && statSync(location, { throwIfNoEntry: false })?.isFile();
  if (location === undefined) throw new OtaError('FILE_NOT_FOUND', { path, what: 'sketch location' });
  if (isFile === true) return { source: dirname(location), mainFile: basename(location) };
  const oldName = `${basename(location)}.pde`;
  const isOld = statSync(join(location, oldName), { throwIfNoEntry: false })?.isFile() === true;
  return { source: location, mainFile: isOld ? oldName : `${basename(location)}.ino` };
}

function sketchLocation(path: string): string | undefined {
  try {
    const { sketchLocation: location } = JSON.parse(readRegularSync(path).toString('utf8'));
    return typeof location === 'string' ? location : undefined;
  } catch {
    return undefined;
  }
}
