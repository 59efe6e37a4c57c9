import { relative } from 'node:path';
import { withNearPaths } from '../../files/near-paths.ts';
import type { Io } from '../io.ts';
import type { CommandName, DocumentOf } from './documents/registry.ts';

/** The options that every command has. */
export interface OutputOptions {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

/** Where a command's words go: people read stderr, programs read one JSON document on stdout. */
export interface Report {
  /** What the user wants to know in any case; kept back by --quiet. */
  say(line: string): void;
  /** What only --verbose wants. */
  detail(line: string): void;
  /** What the user should mend; never kept back. */
  warn(line: string): void;
  /** The command's result: the JSON document with --json, else the text on stdout (none: nothing). */
  result<Command extends CommandName>(command: Command, json: DocumentOf<Command>, text?: string): void;
  /** Of a command that goes on: one JSON object a line with --json, else the text on stdout (none: nothing). */
  event<Command extends CommandName>(command: Command, json: DocumentOf<Command>, text?: string): void;
  /** A path as the user would write it. */
  path(absolute: string): string;
}

export function makeReport(io: Io, options: OutputOptions): Report {
  // Sentences of other rooms name whole paths.
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

/** Colors a word for a terminal that wants colors. */
function paint(io: Io, color: string, text: string): string {
  return io.fancy ? `\u001b[${color}m${text}\u001b[0m` : text;
}
