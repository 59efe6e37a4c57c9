import { relative } from 'node:path';
import { withNearPaths } from '../../files/near-paths.ts';
import type { Io } from '../io.ts';
import type { CommandName, DocumentOf } from './documents/registry.ts';

/** Options that every command has. */
export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

/** Output of a command: messages go to stderr, results to stdout (as JSON with --json). */
export interface Report {
  /** Prints a line for the user; --quiet suppresses it. */
  say(line: string): void;
  /** Prints a line only with --verbose. */
  detail(line: string): void;
  /** Prints a warning; --quiet does not suppress it. */
  warn(line: string): void;
  /** Prints the result of the command: the JSON document with --json, otherwise the text on stdout, if any. */
  result<Command extends CommandName>(command: Command, json: DocumentOf<Command>, text?: string): void;
  /** Prints an event from a long-running command: one JSON object per line with --json, otherwise the text on stdout, if any. */
  event<Command extends CommandName>(command: Command, json: DocumentOf<Command>, text?: string): void;
  /** Returns a path relative to the working directory, or unchanged if it is outside the working directory. */
  path(absolute: string): string;
}

export function makeReport(io: Io, options: OutputOptions): Report {
  // Messages from other modules contain absolute paths.
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

/** Colors text if the terminal supports colors. */
function paint(io: Io, color: string, text: string): string {
  return io.fancy ? `\u001b[${color}m${text}\u001b[0m` : text;
}
