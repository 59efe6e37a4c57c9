import { OtaError } from '../../../errors/ota-error.ts';
import { command, type Declaration, type OptionsOf } from '../../command.ts';
import type { Io } from '../../io.ts';
import { makeReport } from '../../output/report.ts';
import { commandWords } from './command-words.ts';
import { completionScripts, shells } from './scripts.ts';

const completionCommand = (declaration: Declaration) =>
  command(declaration, 'completion <shell>', `Print a completion script for ${shells.join(', ')}`, [
    'ota-hooks completion bash',
    'ota-hooks completion fish --json',
  ]);

export function declareCompletion(declaration: Declaration) {
  return completionCommand(declaration).action((shell, options) => completion(shell, options, declaration));
}

/** Prints a script for all commands, so the program must declare all of them. */
function completion(
  name: string,
  options: OptionsOf<typeof completionCommand>,
  { program, io }: Pick<Declaration, 'program'> & { readonly io: Io },
): void {
  const target = shells.find((known) => known === name);
  if (target === undefined) {
    throw new OtaError('OPTION_INVALID', { option: 'shell', value: name, expected: `must be ${shells.join(', ')}` });
  }
  const script = completionScripts[target](commandWords(program));
  makeReport(io, options).result('completion', { shell: target, script }, script.trimEnd().split('\n'));
}
