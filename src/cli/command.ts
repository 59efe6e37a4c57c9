import { Command, type CommanderError, type CommandUnknownOpts, Help, Option } from '@commander-js/extra-typings';
import { OtaError } from '../errors/ota-error.ts';
import type { Io } from './io.ts';
import { sizeOf } from './output/bar.ts';
import type { TerminalOutput } from './output/terminal-text.ts';

/** Context for declaring a command: the program that receives the command, and the command's environment. */
export interface Declaration {
  readonly program: Command;
  readonly io: Io;
}

/** Option types of a command, inferred from its declaration. */
export type OptionsOf<Declare extends (declaration: Declaration) => { opts(): unknown }> = Readonly<
  ReturnType<ReturnType<Declare>['opts']>
>;

/** Heading of the commands that build systems and shells run, and of `help`. */
export const plumbing = 'Plumbing:';

/** Heading of the options that every command has, which the help lists last. */
const globalHeading = 'Global options:';

const globalOptions = {
  json: new Option('--json', 'Write only JSON to stdout').helpGroup(globalHeading),
  quiet: new Option('--quiet', 'Show only warnings and errors').helpGroup(globalHeading),
  verbose: new Option('--verbose', 'Show more details').helpGroup(globalHeading),
  color: new Option('--no-color', 'Disable colors').helpGroup(globalHeading),
} as const;

/** Declares a command with the common options and with two examples at the end of its help. */
export function command<const Usage extends string>(
  { program }: Declaration,
  usage: Usage,
  description: string,
  examples: readonly [string, string],
) {
  return (
    program
      .command(usage)
      .description(description)
      .addOption(globalOptions.json)
      .addOption(globalOptions.quiet)
      .addOption(globalOptions.verbose)
      .addOption(globalOptions.color)
      // Printed after any help text that the command itself adds.
      .addHelpText('afterAll', examplesText(examples))
  );
}

/** Declares a command group with two examples at the end of its help. */
export function commandGroup(
  { program, io }: Declaration,
  name: string,
  description: string,
  examples: readonly [string, string],
  declareCommands: readonly ((declaration: Declaration) => void)[],
): void {
  // A group and the program use the same type, because both accept subcommands.
  const group = program
    .command(name)
    .description(description)
    .addHelpText('after', examplesText(examples)) as Declaration['program'];
  for (const declareCommand of declareCommands) declareCommand({ program: group, io });
}

function examplesText(examples: readonly [string, string]): string {
  return `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`;
}

/** Returns an empty program that writes to `io` and throws instead of ending the process. */
export function emptyProgram(io: Io, version: string): Command {
  return (
    new Command('ota-hooks')
      .description('Sign, compress and deliver ESP8266 firmware updates over the air')
      // Commands may have an option --version of their own.
      .enablePositionalOptions()
      .optionsGroup(globalHeading)
      .version(version, '-V, --version', 'Show the version')
      .addHelpOption(new Option('-h, --help', 'Show help').helpGroup(globalHeading))
      .commandsGroup(plumbing)
      .helpCommand('help [command]', 'Show help for a command')
      .addHelpText('after', examplesText(['ota-hooks init', 'ota-hooks upload --help']))
      .configureHelp({ optionDescription, formatHelp })
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        writeErr: (text) => io.stderr.write(text),
        getOutHelpWidth: () => helpColumns(io.stdout),
        getErrHelpWidth: () => helpColumns(io.stderr),
        // Parser errors are thrown and printed in the same format as all other errors.
        outputError: () => undefined,
      })
      .exitOverride(failWith)
  );
}

/**
 * Converts a parser error to a catalog error. Commander also throws after it prints the help or the version. These exceptions are
 * rethrown unchanged.
 *
 * @throws OtaError USAGE
 */
function failWith(end: CommanderError): never {
  if (end.exitCode === 0 || end.code.startsWith('commander.help')) throw end;
  const message = end.message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
  throw new OtaError('USAGE', { message }, end);
}

/** Returns the width of the help. Lines of more than 120 characters are hard to read. */
function helpColumns(output: TerminalOutput): number {
  return Math.min(120, sizeOf(output).columns);
}

/** Formats the help, with the options that every command has at the end. */
function formatHelp(command: CommandUnknownOpts, helper: Help): string {
  const help = Help.prototype.formatHelp.call(helper, command, helper);
  const [globals] = new RegExp(`^${globalHeading}\\n(?: .*\\n)*`, 'm').exec(help) ?? [];
  if (globals === undefined) return help;
  return `${help
    .replace(globals, '')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n\n${globals}`;
}

/** Describes an option in the help. Omits the default value of a repeatable option, which is an empty list. */
function optionDescription(option: Option): string {
  const isEmptyList = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  const shown: Option = isEmptyList ? Object.create(option, { defaultValue: { value: undefined } }) : option;
  return new Help().optionDescription(shown);
}
