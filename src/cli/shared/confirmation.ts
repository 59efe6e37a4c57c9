import { type CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { OtaError } from '../../errors/ota-error.ts';
import type { Io } from '../io.ts';

/** Option of every destructive command. */
export const yesOption = new Option('--yes', 'Skip the confirmation prompt');

/**
 * Makes a command ask for confirmation before it runs, and adds `--yes`. For commands that remove, revoke or stop something; a command
 * that shows what is affected calls {@link requireConfirmation} itself.
 *
 * @param question asks about the command with these arguments
 */
export function destructive<Declared extends CommandUnknownOpts>(
  command: Declared,
  io: Io,
  question: (...args: readonly string[]) => string,
): Declared {
  command.addOption(yesOption).hook('preAction', async () => {
    const yes = command.getOptionValue(yesOption.attributeName()) === true;
    await requireConfirmation(question(...command.args), { yes, command: pathOf(command) }, io);
  });
  return command;
}

interface Confirmation {
  /** The value of `--yes`. */
  readonly yes: boolean | undefined;
  /** Name of the command, such as `server tokens revoke`. */
  readonly command: string;
}

/**
 * Asks for confirmation at a terminal, unless `--yes` is passed.
 *
 * @throws OtaError CONFIRMATION_UNASKED without a terminal, CONFIRMATION_DECLINED
 */
export async function requireConfirmation(
  question: string,
  { yes, command }: Confirmation,
  { prompt }: Pick<Io, 'prompt'>,
): Promise<void> {
  if (yes === true) return;
  if (prompt === undefined) throw new OtaError('CONFIRMATION_UNASKED', { command });
  if (!(await prompt.confirm(question, false))) throw new OtaError('CONFIRMATION_DECLINED', { command });
}

/** Returns the words that select a command, without the name of the program. */
function pathOf(command: CommandUnknownOpts): string {
  const { parent } = command;
  return parent === null || parent.parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}
