import { relative } from 'node:path';
import { withNearPaths } from '../../files/near-paths.ts';
import type { Io } from '../io.ts';
import type { CommandName, DocumentOf } from './documents/registry.ts';

/** Output options, which every command has. */
export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

/** Output of a command. Messages are written to stderr, and results to stdout. */
export interface Report {
  /** Prints a message for the user. --quiet suppresses the message. */
  say(line: string): void;
  /** Prints a message only with --verbose. */
  detail(line: string): void;
  /** Prints a warning. --quiet does not suppress warnings. */
  warn(line: string): void;
  /** Prints the result of the command. With --json, the result is a JSON document, otherwise text. */
  result<Command extends CommandName>(command: Command, json: DocumentOf<Command>, text?: string): void;
  /** Prints an event of a long-running command. With --json, each event is a JSON object on one line, otherwise text. */
  event<Command extends CommandName>(command: Command, json: DocumentOf<Command>, text?: string): void;
  /** Returns a path relative to the working directory. A path outside the working directory is returned unchanged. */
  path(absolute: string): string;
}

export function makeReport(io: Io, options: OutputOptions): Report {
  // Messages from other modules contain absolute paths, which are shortened here.
  const toStderr = (line: string) => io.stderr.write(`${withNearPaths(line, io.cwd)}\n`);
  return {
    say: (line) => {
      if (options.quiet !== true) toStderr(line);
    },
    detail: (line) => {
      if (options.verbose === true) toStderr(line);
    },
    warn: (line) => toStderr(`${paint(io, '33', 'warning:')} ${line}`),
    result: (_, json, text) => {
      if (options.json === true) io.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
      else if (text !== undefined) io.stdout.write(`${text}\n`);
    },
    event: (_, json, text) => {
      if (options.json === true) io.stdout.write(`${JSON.stringify(json)}\n`);
      else if (text !== undefined) io.stdout.write(`${text}\n`);
    },
    path: (absolute) => {
      const near = relative(io.cwd, absolute);
      return near === '' || near.startsWith('..') ? absolute : near;
    },
  };
}

/** Colors text if colors are enabled. */
function paint(io: Io, color: string, text: string): string {
  return io.fancy ? `\u001b[${color}m${text}\u001b[0m` : text;
}
