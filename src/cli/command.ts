import { Command, type CommanderError, Help, type Option } from '@commander-js/extra-typings';
import { OtaError } from '../errors/ota-error.ts';
import type { Io } from './io.ts';

/** Context for declaring a command: the program that receives the command, and the command's environment. */
export interface Declaration {
  readonly program: Command;
  readonly io: Io;
}

/** Option types of a command, inferred from its declaration. */
export type OptionsOf<Declare extends (declaration: Declaration) => { opts(): unknown }> = Readonly<
  ReturnType<ReturnType<Declare>['opts']>
>;

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
      .option('--json', 'Write only JSON to stdout')
      .option('--quiet', 'Show only warnings and errors')
      .option('--verbose', 'Show more details')
      .option('--no-color', 'Disable colors')
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
      // Parser errors are thrown and printed in the same format as all other errors.
      outputError: () => undefined,
    })
    .exitOverride(failWith);
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

/** Describes an option in the help. Omits the default value of a repeatable option, which is an empty list. */
function optionDescription(option: Option): string {
  const isEmptyList = Array.isArray(option.defaultValue) && option.defaultValue.length === 0;
  const shown: Option = isEmptyList ? Object.create(option, { defaultValue: { value: undefined } }) : option;
  return new Help().optionDescription(shown);
}
