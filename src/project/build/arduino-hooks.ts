import { OtaError } from '../../errors/ota-error.ts';

/** Which program the hooks run, and what they tell it. Paths are absolute: a hook's working directory is the caller's. */
export interface ArduinoHooks {
  /** The Node that runs the hooks: `process.execPath`, never a shim of a package manager. */
  readonly nodePath: string;
  /** This tool's `cli.js`. */
  readonly cliPath: string;
  /** Folder in which keys and configuration are looked for. Absent: the sketch that is being built. */
  readonly sourceDir?: string;
  readonly configPath?: string;
  /** More options of `header`: `--public-key F`. */
  readonly headerOptions?: readonly string[];
  /** More options of `pack`: `--unsigned`, `--private-key F`, `--compression none`. */
  readonly packOptions?: readonly string[];
}

/** The core's own two properties for signing (its `platform.txt`); overriding exactly these leaves every other hook alone. */
export const headerHook = 'recipe.hooks.sketch.prebuild.pattern';
export const packHook = 'recipe.objcopy.hex.2.pattern';

/** Both properties as command lines of this tool, `{build.path}` and the like left for arduino-cli to fill in. */
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

/** A further step behind the core's own two, of which none has this number. */
const publishHook = 'recipe.objcopy.hex.3.pattern';

/**
 * Publishing, where the project's configuration wants it, as a step of its own behind the one that signs: `pack` has ended by then. (The hooks
 * that arduino-cli runs after its last check, recipe.hooks.savehex, run only when a build is exported.)
 */
export function arduinoPublishProperty(hooks: ArduinoHooks): readonly [string, string] {
  const words = [hooks.nodePath, hooks.cliPath, 'publish', '{build.path}/{build.project_name}.bin', '--after-build'];
  return [publishHook, quoteWords([...words, ...projectWords(hooks)])];
}

/** The core's property for uploads over the network, of which arduino-cli makes the upload of network ports. */
const uploadHook = 'tools.esptool.upload.network_pattern';

/**
 * The upload over the network as a command line of this tool. A recipe of an upload is told the build folder, not the sketch: the CLI finds
 * the project by what arduino-cli noted there.
 *
 * There is no word for the password that the IDE could ask for: it would stand on the command line. It comes from the configuration.
 */
export function arduinoUploadProperty({ nodePath, cliPath, configPath }: ArduinoHooks): readonly [string, string] {
  const words = [
    ...[nodePath, cliPath, 'upload', '{build.path}/{build.project_name}.bin', '--method', 'espota'],
    // What stands in the core's own pattern, and what arduino-cli therefore fills in.
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
 * One argument, as arduino-cli splits a recipe into arguments (`SplitQuotedString` of go-properties-orderedmap): at spaces
 * only; a quote opens at the start of a word and closes at the end of one, the backslash means nothing, an empty word
 * vanishes. Properties in braces are filled in before that, so a word with one is quoted for the spaces that may come.
 *
 * @throws OtaError USAGE when no quote fits
 */
export function quoteWord(word: string): string {
  if (/^[^ {"'][^ {]*$/.test(word)) return word;
  const quote = ['"', "'"].find((mark) => !word.includes(`${mark} `));
  if (quote === undefined || word.trim() === '') {
    throw new OtaError('USAGE', {
      message: `Arduino recipes cannot hold the argument ${JSON.stringify(word)}`,
      hint: 'Rename the folder: no name may hold both kinds of quotes before spaces, or be empty.',
    });
  }
  return `${quote}${word}${quote}`;
}
