import { Command } from '@commander-js/extra-typings';
import type { Io } from './io.ts';

/** What a command's declaration needs: the program that it joins, and the world that it will run in. */
export interface Declaration {
  readonly program: Command;
  readonly io: Io;
}

/** Begins the declaration of a command: with the options that all have, and two examples at the end of its help. */
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
      .option('--json', 'one JSON document on stdout, and nothing else there')
      .option('--quiet', 'say nothing but warnings and errors')
      .option('--verbose', 'say more')
      .option('--no-color', 'no colors')
      // Behind what the command itself has to add.
      .addHelpText('afterAll', examplesText(examples))
  );
}

/** Begins the declaration of a group of commands; its help ends with examples too. */
export function commandGroup(
  program: Declaration['program'],
  name: string,
  description: string,
  examples: readonly [string, string],
): Declaration['program'] {
  // Subcommands are declared on a group as commands are on the program: they see no more of it.
  return program
    .command(name)
    .description(description)
    .addHelpText('after', examplesText(examples)) as Declaration['program'];
}

function examplesText(examples: readonly [string, string]): string {
  return `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`;
}

/** An empty program that writes to the given world and throws instead of ending the process. */
export function emptyProgram(io: Io, version: string): Command {
  return new Command('ota-hooks')
    .description('Signed, compressed firmware from every ESP8266 build, and its way over the air')
    .version(version)
    .showHelpAfterError('(run it with --help to see its options)')
    .addHelpText('after', examplesText(['ota-hooks init', 'ota-hooks upload --help']))
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .exitOverride();
}

/** For options that may be repeated. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
