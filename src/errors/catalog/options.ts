import { entry } from './entry.ts';

/** Quotes a command-line value that is not recognizable as a single value without quotes. */
export function asArgument(value: string): string {
  return /^[^\s"']+$/.test(value) ? value : JSON.stringify(value);
}

/** Errors in command-line options and arguments. Any top-level folder of src may throw these errors. */
export const optionEntries = {
  OPTION_INVALID: entry<{ option: string; value: string; expected: string; hint?: string }>(
    2,
    ({ option, value, expected }) => `${option} ${asArgument(value)}: ${expected}`,
    'Options are checked before a command starts.',
    ({ hint }) => hint ?? 'Run the command with --help to see what each option accepts.',
  ),
  OPTION_MISSING: entry<{ subject: string; wanted: string; hint?: string }>(
    2,
    ({ subject, wanted }) => `${subject} requires ${wanted}`,
    'Some commands and options require other options.',
    ({ wanted, hint }) => hint ?? `Add ${wanted}.`,
  ),
  OPTIONS_CONFLICT: entry<{ option: string; other: string; hint?: string }>(
    2,
    ({ option, other }) => `${option} cannot be combined with ${other}`,
    'The options contradict each other.',
    ({ option, other, hint }) => hint ?? `Remove ${option} or ${other}.`,
  ),
};
