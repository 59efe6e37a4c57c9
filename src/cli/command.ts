import { Command } from '@commander-js/extra-typings';
import type { Io } from './io.ts';

/** Context for the declaration of a command: the program that it joins and the environment that it runs in. */
export interface Declaration {
  readonly program: Command;
  readonly io: Io;
}

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

/** Starts the declaration of a group of commands, with two examples at the end of its help. */
export function commandGroup(
  program: Declaration['program'],
  name: string,
  description: string,
  examples: readonly [string, string],
): Declaration['program'] {
  // Subcommands are declared on a group as commands are on the program, so they need no other type.
  return program
    .command(name)
    .description(description)
    .addHelpText('after', examplesText(examples)) as Declaration['program'];
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
    .showHelpAfterError('Run the command with --help to see its options.')
    .addHelpText('after', examplesText(['ota-hooks init', 'ota-hooks upload --help']))
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .exitOverride();
}

/** Collects the values of an option that may be repeated. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
