import { OtaError } from '../../errors/ota-error.ts';

/** Program that the hooks run, and its options. Paths are absolute, because a hook runs in the working directory of its caller. */
export interface ArduinoHooks {
  /** Node.js that runs the hooks: `process.execPath`, never a shim of a package manager. */
  readonly nodePath: string;
  /** Path of this tool's `cli.js`. */
  readonly cliPath: string;
  /** Folder that is searched for keys and configuration; that of the sketch by default. */
  readonly sourceDir?: string;
  readonly configPath?: string;
  /** Additional options of `header`, such as `--public-key F`. */
  readonly headerOptions?: readonly string[];
  /** Additional options of `pack`, such as `--unsigned`, `--private-key F`, `--compression none`. */
  readonly packOptions?: readonly string[];
}

/** The core's own two properties for signing (in its `platform.txt`). Overriding only these keeps every other hook unchanged. */
export const headerHook = 'recipe.hooks.sketch.prebuild.pattern';
export const packHook = 'recipe.objcopy.hex.2.pattern';

/** Returns both properties as command lines of this tool. Placeholders such as `{build.path}` are left for arduino-cli to expand. */
export function arduinoHookProperties(hooks: ArduinoHooks): ReadonlyMap<string, string> {
  const image = '{build.path}/{build.project_name}.bin';
  const program = [hooks.nodePath, hooks.cliPath];
  const project = projectWords(hooks);
  const header = ['header', ...project, '--out', '{build.path}/core/Updater_Signing.h', '--image', image];
  const pack = ['pack', image, ...project];
  return new Map([
    [headerHook, quoteWords([...program, ...header, ...(hooks.headerOptions ?? [])])],
    [packHook, quoteWords([...program, ...pack, ...(hooks.packOptions ?? [])])],
  ]);
}

/** Additional step after the core's own two, neither of which has this number. */
const publishHook = 'recipe.objcopy.hex.3.pattern';

/**
 * Returns the property that publishes a build if the project's configuration requires it. It is a separate step after signing, so `pack`
 * has ended by then. (The hooks that arduino-cli runs after its last check, recipe.hooks.savehex, run only if a build is exported.)
 */
export function arduinoPublishProperty(hooks: ArduinoHooks): readonly [string, string] {
  const words = [hooks.nodePath, hooks.cliPath, 'publish', '{build.path}/{build.project_name}.bin', '--after-build'];
  return [publishHook, quoteWords([...words, ...projectWords(hooks)])];
}

/** The core's property for network uploads, from which arduino-cli derives the upload to network ports. */
const uploadHook = 'tools.esptool.upload.network_pattern';

/**
 * Returns the property for network uploads as a command line of this tool. An upload recipe receives the build folder, not the sketch; the
 * CLI finds the project from the `build.options.json` that arduino-cli writes there.
 *
 * The password that the IDE could prompt for is not passed, because it would be visible on the command line. The password comes from the
 * configuration.
 */
export function arduinoUploadProperty({ nodePath, cliPath, configPath }: ArduinoHooks): readonly [string, string] {
  const words = [
    ...[nodePath, cliPath, 'upload', '{build.path}/{build.project_name}.bin', '--method', 'espota'],
    // Placeholders of the core's own pattern, which arduino-cli therefore expands.
    ...['--host', '{serial.port}', '--port', '{network.port}'],
    ...(configPath === undefined ? [] : ['--config', configPath]),
  ];
  return [uploadHook, quoteWords(words)];
}

function projectWords({ sourceDir, configPath }: ArduinoHooks): readonly string[] {
  return [
    ...['--source', sourceDir ?? '{build.source.path}'],
    ...(configPath === undefined ? [] : ['--config', configPath]),
  ];
}

function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/**
 * Quotes one argument for a recipe. arduino-cli splits recipes (`SplitQuotedString` of go-properties-orderedmap) at spaces only; a quote
 * opens at the start of an argument and closes at the end of one, a backslash has no special meaning, and an empty argument is dropped.
 * Properties in braces are expanded before that, so an argument with one is quoted: the value may contain spaces.
 *
 * @throws OtaError HOOK_ARGUMENT_INVALID if no quote fits or the argument is blank
 */
export function quoteWord(word: string): string {
  if (/^[^ {"'][^ {]*$/.test(word)) return word;
  const quote = ['"', "'"].find((mark) => !word.includes(`${mark} `));
  if (quote === undefined || word.trim() === '') {
    throw new OtaError('HOOK_ARGUMENT_INVALID', { argument: word });
  }
  return `${quote}${word}${quote}`;
}
