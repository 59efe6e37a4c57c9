import { OtaError } from '../../errors/ota-error.ts';

/** Program that the hooks run, and the program's options. Paths are absolute, because a hook runs in its caller's working directory. */
export interface ArduinoHooks {
  /** Node.js executable that runs the hooks: `process.execPath`, never a package manager's shim. */
  readonly nodePath: string;
  /** Path of this tool's `cli.js`. */
  readonly cliPath: string;
  /** Folder that is searched for keys and configuration. Defaults to the sketch folder. */
  readonly sourceDir?: string;
  readonly configPath?: string;
  /** Additional `header` options, such as `--public-key F`. */
  readonly headerOptions?: readonly string[];
  /** Additional `pack` options, such as `--unsigned`, `--private-key F`, `--compression none`. */
  readonly packOptions?: readonly string[];
}

/** Signing properties in the core's `platform.txt`. Overriding these two properties leaves all other hooks unchanged. */
export const headerHook = 'recipe.hooks.sketch.prebuild.pattern';
export const packHook = 'recipe.objcopy.hex.2.pattern';

/**
 * End of every recipe, with the only placeholder. A placeholder for the sketch name is not used, because arduino-cli expands placeholders
 * before it splits a recipe into arguments, so a sketch name could add arguments. `src/cli/arduino-build.ts` finds the sketch and the image
 * in the build folder.
 */
const buildWords = ['--arduino-build', '{build.path}'];

/** Returns both signing properties as command lines that run this tool. */
export function arduinoHookProperties(hooks: ArduinoHooks): ReadonlyMap<string, string> {
  const recipe = (command: string, options: readonly string[] = []) =>
    quoteWords([
      ...literalWords([hooks.nodePath, hooks.cliPath, command, ...projectWords(hooks), ...options]),
      ...buildWords,
    ]);
  return new Map([
    [headerHook, recipe('header', hooks.headerOptions)],
    [packHook, recipe('pack', hooks.packOptions)],
  ]);
}

/** Number of the hook that publishes. The hook runs after the core's own two hooks, which have different numbers. */
const publishHook = 'recipe.objcopy.hex.3.pattern';

/**
 * Returns the property that publishes a build if the project configuration requires it. Publishing is a separate step after `pack`. The
 * later hooks of arduino-cli (recipe.hooks.savehex) cannot be used, because they run only if a build is exported.
 */
export function arduinoPublishProperty(hooks: ArduinoHooks): readonly [string, string] {
  const words = [hooks.nodePath, hooks.cliPath, 'publish', '--after-build', ...projectWords(hooks)];
  return [publishHook, quoteWords([...literalWords(words), ...buildWords])];
}

/** Network upload property of the core. arduino-cli uses it for uploads to network ports. */
const uploadHook = 'tools.esptool.upload.network_pattern';

/**
 * Returns the network upload property as a command line that runs this tool. An upload recipe receives the build folder instead of the
 * sketch folder, so the CLI finds the project through `build.options.json` in the build folder.
 *
 * The password is read from the configuration. The password that the IDE can prompt for is not used, because it would be visible on the
 * command line.
 */
export function arduinoUploadProperty({ nodePath, cliPath, configPath }: ArduinoHooks): readonly [string, string] {
  const words = [
    ...literalWords([nodePath, cliPath, 'upload', '--method', 'espota']),
    // Placeholders from the core's own pattern, which arduino-cli replaces with the address and port number from discovery.
    ...['--host', '{serial.port}', '--port', '{network.port}'],
    ...literalWords(configPath === undefined ? [] : ['--config', configPath]),
    ...buildWords,
  ];
  return [uploadHook, quoteWords(words)];
}

function projectWords({ sourceDir, configPath }: ArduinoHooks): readonly string[] {
  return [
    ...(sourceDir === undefined ? [] : ['--source', sourceDir]),
    ...(configPath === undefined ? [] : ['--config', configPath]),
  ];
}

/**
 * Checks the path of a sketch. The recipes of the core contain it in double quotes, so a path with a quote and a space could add options to
 * the compiler, which can load programs.
 *
 * @throws OtaError HOOK_ARGUMENT_INVALID
 */
export function requireRecipePath(path: string): void {
  if (path.includes('" ')) throw new OtaError('HOOK_ARGUMENT_INVALID', { argument: path });
}

/**
 * Checks arguments that must not change: arduino-cli would expand a property in them, and the value may contain quotes and spaces.
 *
 * @throws OtaError HOOK_ARGUMENT_INVALID
 */
function literalWords(words: readonly string[]): readonly string[] {
  const expanded = words.find((word) => /\{[^{}]*\}/.test(word));
  if (expanded !== undefined) throw new OtaError('HOOK_ARGUMENT_INVALID', { argument: expanded });
  return words;
}

function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/**
 * Quotes one argument for a recipe. arduino-cli splits recipes at spaces (`SplitQuotedString` in go-properties-orderedmap). A quote is
 * special only at the start or end of an argument, a backslash is not special, and empty arguments are dropped. Properties in braces are
 * expanded before the split. An argument that contains a property is quoted, because the value may contain spaces.
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
