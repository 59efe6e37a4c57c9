import { OtaError } from '../../errors/ota-error.ts';

/** Program that the hooks run, and its options. Paths are absolute, because a hook runs in its caller's working directory. */
export interface ArduinoHooks {
  /** Node.js that runs the hooks: `process.execPath`, never a package manager's shim. */
  readonly nodePath: string;
  /** Path of this tool's `cli.js`. */
  readonly cliPath: string;
  /** Folder that is searched for keys and configuration; the sketch folder by default. */
  readonly sourceDir?: string;
  readonly configPath?: string;
  /** Additional `header` options, such as `--public-key F`. */
  readonly headerOptions?: readonly string[];
  /** Additional `pack` options, such as `--unsigned`, `--private-key F`, `--compression none`. */
  readonly packOptions?: readonly string[];
}

/** The core's own two signing properties (in its `platform.txt`). Overriding only these leaves every other hook unchanged. */
export const headerHook = 'recipe.hooks.sketch.prebuild.pattern';
export const packHook = 'recipe.objcopy.hex.2.pattern';

/** Returns both properties as command lines that run this tool. Placeholders such as `{build.path}` are left for arduino-cli to expand. */
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

/** Step that runs after the core's own two, neither of which uses this number. */
const publishHook = 'recipe.objcopy.hex.3.pattern';

/**
 * Returns the property that publishes a build if the project configuration requires it. Publishing is a separate step after signing, so
 * `pack` has finished by then. (The hooks that arduino-cli runs after its last check, recipe.hooks.savehex, run only if a build is
 * exported.)
 */
export function arduinoPublishProperty(hooks: ArduinoHooks): readonly [string, string] {
  const words = [hooks.nodePath, hooks.cliPath, 'publish', '{build.path}/{build.project_name}.bin', '--after-build'];
  return [publishHook, quoteWords([...words, ...projectWords(hooks)])];
}

/** The core's network upload property, from which arduino-cli derives uploads to network ports. */
const uploadHook = 'tools.esptool.upload.network_pattern';

/**
 * Returns the network upload property as a command line that runs this tool. An upload recipe receives the build folder rather than the
 * sketch folder, so the CLI finds the project through the `build.options.json` that arduino-cli writes there.
 *
 * The password that the IDE could prompt for is not passed, because it would be visible on the command line. The password is read from the
 * configuration instead.
 */
export function arduinoUploadProperty({ nodePath, cliPath, configPath }: ArduinoHooks): readonly [string, string] {
  const words = [
    ...[nodePath, cliPath, 'upload', '{build.path}/{build.project_name}.bin', '--method', 'espota'],
    // Placeholders from the core's own pattern, so arduino-cli expands them.
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
 * Quotes one argument for a recipe. arduino-cli splits recipes (`SplitQuotedString` in go-properties-orderedmap) only at spaces; a quote is
 * special only at the start or end of an argument, a backslash has no special meaning, and empty arguments are dropped. Properties in
 * braces are expanded before the split, so an argument that contains one is quoted in case the value contains spaces.
 *
 * @throws OtaError HOOK_ARGUMENT_INVALID if no kind of quote works or the argument is blank
 */
export function quoteWord(word: string): string {
  if (/^[^ {"'][^ {]*$/.test(word)) return word;
  const quote = ['"', "'"].find((mark) => !word.includes(`${mark} `));
  if (quote === undefined || word.trim() === '') {
    throw new OtaError('HOOK_ARGUMENT_INVALID', { argument: word });
  }
  return `${quote}${word}${quote}`;
}
