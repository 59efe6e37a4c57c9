import { relative } from 'node:path';
import type { OtaError } from '../../errors/ota-error.ts';
import { withNearPaths } from '../../files/near-paths.ts';
import { withError } from '../failure.ts';
import type { Io } from '../io.ts';
import type { CommandName, DocumentOf } from './documents/registry.ts';
import { colored, outputLine } from './terminal-text.ts';
import type { TextBlock } from './text-block.ts';

/** Output options of every command. */
export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

/** One line, a block such as a table, or several of them. */
type Lines = string | TextBlock | readonly (string | TextBlock)[];

/**
 * Output of a command. Messages are written to stderr, and results to stdout. Each text is printed as one line: its line breaks are
 * escaped, because they originate from file names, devices or servers.
 */
export interface Report {
  /** Prints a message for the user. --quiet suppresses the message. */
  say(line: string): void;
  /** Prints a message only with --verbose. */
  detail(line: string): void;
  /** Prints a warning. --quiet does not suppress warnings. */
  warn(line: string): void;
  /**
   * Prints the result of the command. With --json, the result is a JSON document, otherwise text. If the command failed with a result, the
   * document also contains the error, which is then thrown.
   *
   * @throws OtaError `failure`
   */
  result<Command extends CommandName>(
    command: Command,
    json: DocumentOf<Command>,
    lines?: Lines,
    failure?: OtaError,
  ): void;
  /** Prints an event of a long-running command. With --json, each event is a JSON object on one line, otherwise text. */
  event<Command extends CommandName>(command: Command, json: DocumentOf<Command>, lines?: Lines): void;
  /** Returns a path relative to the working directory. A path outside the working directory is returned unchanged. */
  path(absolute: string): string;
}

export function makeReport(io: Io, options: OutputOptions): Report {
  // Messages from other modules contain absolute paths, which are shortened here.
  const near = (line: string) => outputLine(withNearPaths(line, io.cwd));
  const toStderr = (line: string) => io.stderr.write(near(line));
  const toStdout = (parts: Lines) => {
    const columns = io.stdout.size?.columns;
    const lines = [parts].flat().flatMap((part) => (typeof part === 'string' ? [part] : part.linesIn(columns)));
    io.stdout.write(lines.map(outputLine).join(''));
  };
  return {
    say: (line) => {
      if (options.quiet !== true) toStderr(line);
    },
    detail: (line) => {
      if (options.verbose === true) toStderr(line);
    },
    warn: (line) => io.stderr.write([...colored(io, 'yellow', 'warning:'), ` ${near(line)}`]),
    result: (_, json, lines, failure) => {
      const document = failure === undefined ? json : withError(json, failure);
      if (options.json === true) io.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
      else if (lines !== undefined) toStdout(lines);
      if (failure !== undefined) throw failure;
    },
    event: (_, json, lines) => {
      if (options.json === true) io.stdout.write(`${JSON.stringify(json)}\n`);
      else if (lines !== undefined) toStdout(lines);
    },
    path: (absolute) => {
      const near = relative(io.cwd, absolute);
      return near === '' || near.startsWith('..') ? absolute : near;
    },
  };
}
