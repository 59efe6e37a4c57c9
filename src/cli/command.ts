import { Command, type CommanderError, Help, type Option } from '@commander-js/extra-typings';
import { OtaError } from '../errors/ota-error.ts';
import type { Io } from './io.ts';

/** Context for the declaration of a command: the program that it joins and the environment that it runs in. */
export interface Declaration {
  readonly program: Command;
  readonly io: Io;
}

/** Options of a command, as its declaration infers them. */
export type OptionsOf<Declare extends (declaration: Declaration) => { opts(): unknown }> = Readonly<
  ReturnType<ReturnType<Declare>['opts']>
>;

/** Starts the declaration of a command, with the options that all commands have and two examples at the end of its help. */
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
      .option('--json', 'Write only JSON to stdout')
      .option('--quiet', 'Show only warnings and errors')
      .option('--verbose', 'Show more details')
      .option('--no-color', 'Disable colors')
      // After the help text that the command itself adds.
      .addHelpText('afterAll', examplesText(examples))
  );
}

/** Declares a group of commands, with two examples at the end of its help. */
export function commandGroup(
  { program, io }: Declaration,
  name: string,
  description: string,
  examples: readonly [string, string],
  declareCommands: readonly ((declaration: Declaration) => void)[],
): void {
  // Subcommands are declared on a group as commands are on the program, so they need no other type.
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
  return new Command('ota-hooks')
    .description('Sign, compress and deliver ESP8266 firmware updates over the air')
    .version(version, '-V, --version', 'Show the version')
    .helpOption('-h, --help', 'Show help')
    .helpCommand('help [command]', 'Show help for a command')
    .addHelpText('after', examplesText(['ota-hooks init', 'ota-hooks upload --help']))
    .configureHelp({ optionDescription })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // Errors are thrown, and printed with all others.
      outputError: () => undefined,
    })
    .exitOverride(failWith);
}

/**
 * Converts what the parser reports into an error of the catalog. Help and version also end parsing, but are not errors.
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

/** Describes an option in the help. An empty list, the default of an option that may be repeated, is not worth a word. */
function optionDescription(option: Option): string {
  const isEmptyList = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  const shown: Option = isEmptyList ? Object.create(option, { defaultValue: { value: undefined } }) : option;
  return new Help().optionDescription(shown);
}
