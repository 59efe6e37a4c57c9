import { CommanderError } from '@commander-js/extra-typings';
import { printableLine } from '../core/model/unprintable.ts';
import type { Io } from './io.ts';
import { knownError } from './known-error.ts';

/** Error that ended a command, as --json shows it. */
export interface CommandFailure {
  /** Code of the error catalog, or INTERNAL_ERROR for a bug in ota-hooks. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exitCode: number;
}

const internalError = 70;
/** Exit code when Commander prints the help because the command is missing. */
const usageError = 2;

/** Describes an error that ended a command. Returns undefined if the command only printed its help or the version. */
export function commandFailure(error: unknown): CommandFailure | undefined {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return undefined;
    const hint = 'Add one of the commands that --help lists.';
    return { code: 'USAGE', message: 'No command was given', hint, exitCode: usageError };
  }
  const known = knownError(error);
  if (known !== undefined) {
    const { code, message, hint, exitCode } = known;
    return { code, message: withoutPrivateKeys(message), hint: withoutPrivateKeys(hint), exitCode };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const hint = 'Please report this bug with the lines on stderr.';
  return {
    code: 'INTERNAL_ERROR',
    message: withoutPrivateKeys(printableLine(message)),
    hint,
    exitCode: internalError,
  };
}

/** Errors that the JSON result of their command contains. */
const shown = new WeakSet<object>();

/** Adds an error to the JSON result of a command that failed with a result. */
export function withError<Result extends object>(
  result: Result,
  error: Error,
): Result & { readonly error: CommandFailure } {
  shown.add(error);
  const failure = commandFailure(error);
  if (failure === undefined) throw error;
  return { ...result, error: failure };
}

/** Exit code of a command that the user stopped. */
export const interrupted = 130;

/** What --json shows of a command that the user stopped. The error that ended the command is only a consequence of that. */
const interruption: CommandFailure = {
  code: 'INTERRUPTED',
  message: 'The command was stopped before it finished',
  hint: 'Run the command again.',
  exitCode: interrupted,
};

/**
 * Prints the failure of a command with --json on stdout, unless the result of the command contains it. The options may be the cause of the
 * failure, so they are searched here for --json instead of parsed.
 */
export function printJsonFailure(error: unknown, argv: readonly string[], io: Pick<Io, 'stdout' | 'signal'>): void {
  const failure = io.signal.aborted ? interruption : commandFailure(error);
  if (failure === undefined || !isJson(argv)) return;
  if (error instanceof Error && shown.has(error)) return;
  io.stdout.write(`${JSON.stringify({ error: failure })}\n`);
}

function isJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** Redacts private keys. If a user passes the contents of a key instead of its path, the key must not appear in a build log. */
export function withoutPrivateKeys(text: string): string {
  return text.replace(
    /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/gs,
    '[a private key]',
  );
}
