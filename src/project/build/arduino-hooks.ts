import { OtaError } from '../../errors/ota-error.ts';

/** Program that the hooks run, and the program's options. Paths are absolute, because a hook runs in its caller's working directory. */
export interface ArduinoHooks {
  /** Start of each recipe: the program and its first arguments, quoted. */
  readonly program: string;
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
 * End of every recipe. A placeholder for the sketch name is not used, because arduino-cli expands placeholders before it splits a recipe into
 * arguments, so a sketch name could add arguments. `src/cli/arduino-build.ts` finds the sketch and the image in the build folder.
 */
const buildWords = ['--arduino-build', '{build.path}'];

/**
 * Returns the program of hooks for one build.
 *
 * @param node Node.js executable: `process.execPath`, never a package manager's shim
 * @param cli path of this tool's `cli.js`
 * @throws OtaError HOOK_ARGUMENT_INVALID
 */
export function nodeProgram(node: string, cli: string): string {
  return quoteWords(literalWords([node, cli]));
}

/** Name of the launcher script in an installed core. arduino-cli would discard build folders after a change to a file that ends in .txt. */
export const launcherName = 'ota-hooks.py';

/**
 * Returns the program of installed hooks: a launcher script beside `platform.txt`, which the core's own Python runs. The hooks must keep
 * working after a project with ota-hooks or a version of Node.js was removed.
 *
 * @param python recipe text that starts Python, such as `"{runtime.tools.python3.path}/python3"`
 * @param copy folder with the copy of the CLI
 * @throws OtaError HOOK_ARGUMENT_INVALID
 */
export function launcherProgram(python: string, copy: string): string {
  return [python, quoteWords(['-I', '-S', `{runtime.platform.path}/${launcherName}`, ...literalWords([copy])])].join(
    ' ',
  );
}

/** Returns both signing properties as command lines that run this tool. */
export function arduinoHookProperties(hooks: ArduinoHooks): ReadonlyMap<string, string> {
  return new Map([
    [headerHook, recipe(hooks, ['header', ...projectWords(hooks), ...(hooks.headerOptions ?? [])])],
    [packHook, recipe(hooks, ['pack', ...projectWords(hooks), ...(hooks.packOptions ?? [])])],
  ]);
}

/** Hook that publishes. It runs after the core's own hooks: numbers 1 to 3 make the image, sign it and report its size. */
export const publishHook = 'recipe.objcopy.hex.4.pattern';

/**
 * Returns the property that publishes a build if the project configuration requires it. Publishing is a separate step after `pack`. The
 * later hooks of arduino-cli (recipe.hooks.savehex) cannot be used, because they run only if a build is exported.
 */
export function arduinoPublishProperty(hooks: ArduinoHooks): readonly [string, string] {
  return [publishHook, recipe(hooks, ['publish', '--after-build', ...projectWords(hooks)])];
}

/** Hook after the export of a build. No core uses this name. */
const exportHook = 'recipe.hooks.savehex.postsavehex.ota_hooks.pattern';

/**
 * Returns the property that removes signed files of an earlier build after an export. Only the launcher of installed hooks has this command:
 * `ota-hooks build` removes these files itself.
 */
export function arduinoExportProperty(hooks: ArduinoHooks): readonly [string, string] {
  return [exportHook, recipe(hooks, ['exported'])];
}

/** Network upload property of the core. arduino-cli uses it for uploads to network ports. */
const uploadHook = 'tools.esptool.upload.network_pattern';

/**
 * Returns the network upload property as a command line that runs this tool. An upload recipe receives the build folder instead of the
 * sketch folder, so the CLI finds the project through `build.options.json` in the build folder.
 *
 * arduino-cli and the IDE prompt for the device's password if this property contains `{network.password}`.
 */
export function arduinoUploadProperty(hooks: ArduinoHooks): readonly [string, string] {
  // Placeholders from the core's own pattern, which arduino-cli replaces with the address and port number from discovery and the password.
  const device = ['--host', '{serial.port}', '--port', '{network.port}', `${passwordOption}{network.password}`];
  return [uploadHook, recipe(hooks, ['upload', '--method', 'espota', ...projectWords(hooks)], device)];
}

/** Returns a command line with literal arguments, arguments that contain properties, and the build folder. */
function recipe({ program }: ArduinoHooks, words: readonly string[], expanded: readonly string[] = []): string {
  return `${program} ${quoteWords([...literalWords(words), ...expanded, ...buildWords])}`;
}

function projectWords({ sourceDir, configPath }: ArduinoHooks): readonly string[] {
  return [
    ...(sourceDir === undefined ? [] : ['--source', sourceDir]),
    ...(configPath === undefined ? [] : ['--config', configPath]),
  ];
}

/** Option of the upload recipe with the password that the IDE prompted for. */
export const passwordOption = '--arduino-password=';

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
