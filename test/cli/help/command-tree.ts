import type { Command } from '@commander-js/extra-typings';
import type { Io } from '../../../src/cli/io.ts';
import { makeProgram } from '../../../src/cli/program.ts';

/** A command or a group of commands, and the words that lead to it. */
export interface Branch {
  readonly words: readonly string[];
  readonly help: string;
  /** As the help shows them, behind the prompt. */
  readonly examples: readonly string[];
}

/** Every command, every group, and the program itself, with their help. */
export async function commandTree(): Promise<readonly Branch[]> {
  let written = '';
  const root = await program((text) => {
    written += text;
  });
  const branches: Branch[] = [];
  const visit = (command: AnyCommand, words: readonly string[]) => {
    written = '';
    command.outputHelp();
    branches.push({
      words,
      help: written,
      examples: [...written.matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = '']) => line),
    });
    for (const sub of command.commands) visit(sub, [...words, sub.name()]);
  };
  visit(root, ['ota-hooks']);
  return branches;
}

/** What the command line understands of these words: which command, or the complaint; nothing is done. */
export async function understood(argv: readonly string[]): Promise<string> {
  let reached = '';
  let complaint = '';
  const root = await program((text) => {
    complaint += text;
  });
  const visit = (command: AnyCommand, words: readonly string[]) => {
    if (command.commands.length === 0) {
      command.action(() => {
        reached = words.join(' ');
      });
    }
    for (const sub of command.commands) visit(sub, [...words, sub.name()]);
  };
  visit(root, ['ota-hooks']);
  await root.parseAsync(argv.slice(1), { from: 'user' }).catch((error: Error) => {
    complaint ||= error.message;
  });
  return reached === '' ? complaint : reached;
}

/** The words of a line as a shell would make them of it; none of our examples needs more than double quotes. */
export function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

// Options and arguments of a command are of no interest here.
type AnyCommand = Command<unknown[], Record<string, unknown>>;

async function program(write: (text: string) => void): Promise<AnyCommand> {
  const stream = { write };
  const io: Io = {
    cwd: '.',
    env: {},
    stdout: stream,
    stderr: stream,
    fancy: false,
    signal: new AbortController().signal,
    platform: process.platform,
    home: '.',
    self: { node: process.execPath, cli: 'ota-hooks' },
  };
  return (await makeProgram(io, [])) as unknown as AnyCommand;
}
