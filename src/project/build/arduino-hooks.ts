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

/** Returns both signing properties as command lines that run this tool. arduino-cli expands placeholders such as `{build.path}`. */
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

/** Number of the hook that publishes. The hook runs after the core's own two hooks, which have other numbers. */
const publishHook = 'recipe.objcopy.hex.3.pattern';

/**
 * Returns the property that publishes a build if the project configuration requires it. Publishing is a separate step after `pack`. The
 * later hooks of arduino-cli (recipe.hooks.savehex) cannot be used, because they run only if a build is exported.
 */
export function arduinoPublishProperty(hooks: ArduinoHooks): readonly [string, string] {
  const words = [hooks.nodePath, hooks.cliPath, 'publish', '{build.path}/{build.project_name}.bin', '--after-build'];
  return [publishHook, quoteWords([...words, ...projectWords(hooks)])];
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
    ...[nodePath, cliPath, 'upload', '{build.path}/{build.project_name}.bin', '--method', 'espota'],
    // Placeholders from the core's own pattern, which arduino-cli expands.
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
