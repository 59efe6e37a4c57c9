import { CommanderError } from '@commander-js/extra-typings';
import { printJsonFailure } from '../../src/cli/failure.ts';
import type { Io } from '../../src/cli/io.ts';
import { filteredOutput, type TerminalSize } from '../../src/cli/output/terminal-text.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { OtaError } from '../../src/errors/ota-error.ts';

/** Result of a command. */
export interface CommandRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The error that the CLI would show to the user, if any. */
  readonly error: OtaError | undefined;
}

interface World {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly fancy?: boolean;
  /** Size of the terminal. Undefined if the output is not a terminal. */
  readonly size?: TerminalSize;
  readonly signal?: AbortSignal;
  readonly promptSecret?: Io['promptSecret'];
  /** Text on standard input. Undefined at a terminal. */
  readonly stdin?: string;
  readonly prompt?: Io['prompt'];
  /** The user's home folder, `cwd` by default. */
  readonly home?: string;
  /** User ID passed to the command in place of the ID of the process. */
  readonly userId?: number;
  /** Path of the CLI that hooks run. */
  readonly cli?: string;
  /** Called with each text written to stdout or stderr. */
  readonly onOutput?: (text: string) => void;
}

/**
 * Runs a command in this process through the same entry point as the CLI: fast enough for a table of cases. The code in cli.ts (error
 * texts, signals) is tested with {@link file://./run-cli.ts}.
 */
export async function runCommand(
  argv: readonly string[],
  {
    cwd,
    env = {},
    fancy = false,
    size,
    signal,
    promptSecret,
    stdin,
    prompt,
    home = cwd,
    userId,
    cli = 'ota-hooks',
    onOutput,
  }: World,
): Promise<CommandRun> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') =>
    filteredOutput(
      (text) => {
        written[name] += text;
        onOutput?.(text);
      },
      () => size,
    );
  const io: Io = {
    cwd,
    // Most tests sign, and check which files a folder contains. Tests of the log set its path.
    env: { PATH: process.env['PATH'] ?? '', OTA_SIGNING_LOG: 'off', ...env },
    fancy,
    fancyStdout: fancy,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    signal: signal ?? new AbortController().signal,
    promptSecret,
    readStdin: stdin === undefined ? undefined : async () => stdin,
    prompt,
    platform: process.platform,
    home,
    userId: userId ?? process.geteuid?.(),
    self: { node: process.execPath, cli },
  };
  try {
    await (await makeProgram(io, argv)).parseAsync(argv, { from: 'user' });
    return { exitCode: 0, error: undefined, ...written };
  } catch (error) {
    if (!io.signal.aborted || written.stdout === '') printJsonFailure(error, argv, io);
    if (error instanceof OtaError) return { exitCode: error.exitCode, error, ...written };
    if (error instanceof CommanderError)
      return { exitCode: error.exitCode === 0 ? 0 : 2, error: undefined, ...written };
    throw error;
  }
}
