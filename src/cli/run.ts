import { isAbsolute } from 'node:path';
import { CommanderError } from '@commander-js/extra-typings';
import { printableLine } from '../core/model/unprintable.ts';
import { catalog } from '../errors/ota-error.ts';
import { withNearPaths } from '../files/near-paths.ts';
import { splitIdePassword, withArduinoBuild } from './arduino-build.ts';
import { commandFailure, interrupted, printJsonFailure, withoutPrivateKeys } from './failure.ts';
import type { Io } from './io.ts';
import { knownError } from './known-error.ts';
import { colored, filteredOutput, outputLine, type TerminalSize } from './output/terminal-text.ts';
import { makeProgram } from './program.ts';

let abort: AbortController | undefined;
/** True for a command that runs until it is stopped. Its supervisor stops it with SIGTERM, which is a normal end. */
let isService = false;
const watchedStreams = new Set<NodeJS.WriteStream>();
const argv = process.argv.slice(2);

/**
 * Runs the command from the process arguments and sets the exit code of the process.
 *
 * @param cli path of the CLI script, for use by hooks and child processes
 */
export async function main(cli: string): Promise<void> {
  const io = processIo(cli);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  const failUnfinished = () => {
    process.exitCode = explain(new UnfinishedError(), io);
  };
  process.once('beforeExit', failUnfinished);
  try {
    const { argv: ownArgv, idePassword } = splitIdePassword(argv);
    // The title replaces the arguments, which other users of this machine can read in the process list.
    if (idePassword !== undefined) process.title = 'ota-hooks upload';
    const words = withArduinoBuild(ownArgv);
    const program = await makeProgram(idePassword === undefined ? io : { ...io, idePassword }, words);
    await program.parseAsync(words, { from: 'user' });
    if (abort?.signal.aborted === true && !hasWritten(process.stdout)) printJsonFailure(undefined, argv, io);
  } catch (error) {
    process.exitCode = explain(error, io);
  } finally {
    process.off('beforeExit', failUnfinished);
  }
}

/** The command waits for something that can no longer happen. Node.js would end the process with exit code 0. */
class UnfinishedError extends Error {
  override readonly name = 'UnfinishedError';

  constructor() {
    super('the command did not finish, because an operation that it waits for never ended');
  }
}

function processIo(cli: string): Io {
  return {
    cwd: process.cwd(),
    env: process.env,
    // Streams are opened on first use, because opening a stream takes milliseconds and most hooks write nothing to stdout.
    stdout: filteredOutput(
      (text) => writeTo(process.stdout, text),
      () => sizeOf(process.stdout),
    ),
    stderr: filteredOutput(
      (text) => writeTo(process.stderr, withoutPrivateKeys(text)),
      () => sizeOf(process.stderr),
    ),
    get fancy() {
      return wantsColors();
    },
    get fancyStdout() {
      return wantsColors() && process.stdout.isTTY === true;
    },
    get signal() {
      return currentSignal();
    },
    get promptSecret() {
      return isAtTerminal() ? promptSecretOnTerminal : undefined;
    },
    get readStdin() {
      return process.stdin.isTTY === true ? undefined : readStdin;
    },
    get prompt() {
      return isAtTerminal() ? { confirm: confirmOnTerminal } : undefined;
    },
    handleServiceSignals(onHangup) {
      isService = true;
      process.on('SIGHUP', onHangup);
      process.on('SIGQUIT', interrupt);
      process.on('SIGUSR1', () => undefined);
    },
    platform: process.platform,
    userId: process.geteuid?.(),
    get home() {
      // Loaded on first use, because importing the module would delay every hook by a millisecond.
      const { homedir, userInfo } = process.getBuiltinModule('node:os');
      // An empty or relative HOME would place the user configuration in the current folder, which may be an untrusted source tree.
      return isAbsolute(homedir()) ? homedir() : userInfo().homedir;
    },
    self: { node: process.execPath, cli },
  };
}

function currentSignal(): AbortSignal {
  abort ??= newAbort();
  return abort.signal;
}

/**
 * Requests a stop on the first signal. Long tasks watch {@link Io.signal}; short tasks run to completion. The handler then removes
 * itself, so that a second signal ends the process. The removal is delayed until all other handlers have run, because execa ends a
 * process whose only signal handler is its own.
 */
function interrupt(signal: NodeJS.Signals): void {
  setImmediate(() => process.off(signal, interrupt));
  process.exitCode = isService && signal !== 'SIGINT' ? 0 : interrupted;
  abort ??= newAbort();
  abort.abort();
}

/** The controller is created on first use, because creating it takes a millisecond and hooks do not need it. */
function newAbort(): AbortController {
  const controller = new AbortController();
  // A fleet of a hundred devices adds a hundred listeners. This is not a leak.
  process.getBuiltinModule('node:events').setMaxListeners(0, controller.signal);
  return controller;
}

function isAtTerminal(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

async function promptSecretOnTerminal(question: string): Promise<string> {
  const { isCancel, password } = await import('@clack/prompts');
  const input = await password({ message: printableLine(question), output: process.stderr, signal: currentSignal() });
  return isCancel(input) ? cancelPrompt() : input;
}

const mostStdinBytes = 64 * 1024;

/** Reads stdin. Further text is ignored, because no input that a command accepts is longer. */
async function readStdin(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length >= mostStdinBytes) break;
  }
  return text.slice(0, mostStdinBytes);
}

async function confirmOnTerminal(question: string, initial: boolean): Promise<boolean> {
  const { confirm, isCancel } = await import('@clack/prompts');
  const terminal = { output: process.stderr, signal: currentSignal() };
  const input = await confirm({ message: printableLine(question), initialValue: initial, ...terminal });
  return isCancel(input) ? cancelPrompt() : input;
}

/** Aborts the command when a prompt is canceled. The prompt reads Ctrl-C as a key press, so the process receives no signal. */
function cancelPrompt(): never {
  abort?.abort();
  throw new Error('prompt canceled');
}

/** Prints the error for people on stderr, and with --json also on stdout. Returns the exit code. */
function explain(error: unknown, io: Io): number {
  if (abort?.signal.aborted === true) {
    // The interruption of a command that prints a document per line is not one of its documents.
    if (!hasWritten(process.stdout)) printJsonFailure(error, argv, io);
    return interrupted;
  }
  // Commander has already printed the help that explains its error.
  if (!(error instanceof CommanderError)) explainOnStderr(error, io);
  printJsonFailure(error, argv, io);
  return commandFailure(error)?.exitCode ?? 0;
}

/** Prints the error code and message, then the hint on a separate line. */
function explainOnStderr(error: unknown, io: Io): void {
  const known = knownError(error);
  if (known === undefined) {
    io.stderr.write(
      `Unexpected error in ota-hooks. Please report this bug with the following lines:\n${bugReport(error)}`,
    );
    return;
  }
  const { code, message, hint } = known;
  const near = (text: string) => outputLine(withNearPaths(text, io.cwd));
  io.stderr.write([...colored(io, 'red', `error[${code}]:`), ` ${near(message)}  ${near(hint)}`]);
  if (argv.includes('--verbose')) io.stderr.write(`  ${catalog[code].why}\n`);
}

/** Returns the stack below the message. The message is written as one line, because it may contain untrusted text. */
function bugReport(error: unknown): string {
  if (!(error instanceof Error)) return outputLine(String(error));
  const head = `${error.name}: ${error.message}`;
  const stack = error.stack?.startsWith(head) === true ? error.stack.slice(head.length + 1) : '';
  return `${outputLine(head)}${stack}\n`;
}

/** Returns whether the command has written to a stream. */
function hasWritten(stream: NodeJS.WriteStream): boolean {
  return watchedStreams.has(stream);
}

/** Writes to a stream. A closed pipe is not an error, as in `ota-hooks inspect … | head`, and neither is a terminal that was closed. */
function writeTo(stream: NodeJS.WriteStream, text: string): void {
  if (!watchedStreams.has(stream)) {
    watchedStreams.add(stream);
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && !(stream.isTTY && error.code === 'EIO')) throw error;
    });
  }
  stream.write(text);
}

/** Returns the current size of a terminal. Terminals without a known size, such as serial lines, report zero columns. */
function sizeOf({ isTTY, columns, rows }: NodeJS.WriteStream): TerminalSize | undefined {
  return isTTY === true && columns > 0 && rows > 0 ? { columns, rows } : undefined;
}

function wantsColors(): boolean {
  const { env } = process;
  if (argv.includes('--no-color') || (env['NO_COLOR'] ?? '') !== '' || (env['CI'] ?? '') !== '') return false;
  return process.stderr.isTTY === true && env['TERM'] !== 'dumb';
}
