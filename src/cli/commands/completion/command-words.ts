import { type CommandUnknownOpts, Help, type Option } from '@commander-js/extra-typings';

/** A word with its description. */
export interface DescribedWord {
  readonly word: string;
  readonly description: string;
}

/** Value of an option: none, a file or folder, one of these words, or any other text. */
type ValueWords = 'none' | 'file' | 'text' | readonly string[];

/** Words that may follow the words of a command. */
export interface CommandWords {
  /** Words that select the command after `ota-hooks`; empty for the program. */
  readonly path: readonly string[];
  readonly subcommands: readonly DescribedWord[];
  readonly options: readonly (DescribedWord & { readonly value: ValueWords })[];
}

/** Returns the words of a program, of its command groups and of its commands. */
export function commandWords(command: CommandUnknownOpts, path: readonly string[] = []): readonly CommandWords[] {
  const help = new Help();
  const words = {
    path,
    subcommands: help.visibleCommands(command).map((sub) => ({ word: sub.name(), description: sub.description() })),
    options: help.visibleOptions(command).map(optionWords),
  };
  return [words, ...command.commands.flatMap((sub) => commandWords(sub, [...path, sub.name()]))];
}

function optionWords(option: Option) {
  const { long, short, description } = option;
  return { word: long ?? short ?? option.flags, description, value: valueWords(option) };
}

function valueWords({ flags, required, optional, argChoices }: Option): ValueWords {
  if (!required && !optional) return 'none';
  // An empty value, which removes a setting, cannot be completed: PowerShell rejects an empty completion.
  if (argChoices !== undefined) return argChoices.filter((choice) => choice !== '');
  return /<(?:file|dir|manifest)>/.test(flags) ? 'file' : 'text';
}
