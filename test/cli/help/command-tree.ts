import type { Command } from '@commander-js/extra-typings';
import type { Io } from '../../../src/cli/io.ts';
import { filteredOutput } from '../../../src/cli/output/terminal-text.ts';
import { makeProgram } from '../../../src/cli/program.ts';

/** A command or command group, and the words that select it. */
export interface Branch {
  readonly words: readonly string[];
  readonly help: string;
  /** Example command lines from the help, without the prompt. */
  readonly examples: readonly string[];
}

/** Returns the program, all command groups and all commands with their help. */
export async function commandTree(): Promise<readonly Branch[]> {
  let written = '';
  const root = await program((text) => {
    written += text;
  });
  const branches: Branch[] = [];
  const walk = (command: AnyCommand, words: readonly string[]) => {
    written = '';
    command.outputHelp();
    branches.push({
      words,
      help: written,
      examples: [...written.matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = '']) => line),
    });
    for (const sub of command.commands) walk(sub, [...words, sub.name()]);
  };
  walk(root, ['ota-hooks']);
  return branches;
}

/** Parses a command line without running the command; returns the selected command or the error. */
export async function understood(argv: readonly string[]): Promise<string> {
  let reached = '';
  let complaint = '';
  const root = await program((text) => {
    complaint += text;
  });
  const walk = (command: AnyCommand, words: readonly string[]) => {
    if (command.commands.length === 0) {
      command.action(() => {
        reached = words.join(' ');
      });
    }
    for (const sub of command.commands) walk(sub, [...words, sub.name()]);
  };
  walk(root, ['ota-hooks']);
  await root.parseAsync(argv.slice(1), { from: 'user' }).catch((error: Error) => {
    complaint ||= error.message;
  });
  return reached === '' ? complaint : reached;
}

/** Splits a line into words as a shell does. Supports only double quotes, because the examples use no others. */
export function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

// Option and argument types do not matter here.
type AnyCommand = Command<unknown[], Record<string, unknown>>;

/** A command that can run, which has no subcommands. */
export interface Leaf {
  readonly words: readonly string[];
  readonly command: AnyCommand;
}

/** Returns all commands without the command groups. */
export async function leafCommands(): Promise<readonly Leaf[]> {
  const below = (command: AnyCommand, words: readonly string[]): readonly Leaf[] =>
    command.commands.length === 0
      ? [{ words, command }]
      : command.commands.flatMap((sub) => below(sub, [...words, sub.name()]));
  return below(await program(() => undefined), []);
}

async function program(write: (text: string) => void): Promise<AnyCommand> {
  const stream = filteredOutput(write);
  const io: Io = {
    cwd: '.',
    env: {},
    stdout: stream,
    stderr: stream,
    fancy: false,
    fancyStdout: false,
    signal: new AbortController().signal,
    platform: process.platform,
    userId: process.geteuid?.(),
    home: '.',
    self: { node: process.execPath, cli: 'ota-hooks' },
  };
  return (await makeProgram(io, [])) as unknown as AnyCommand;
}
