import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { words } from './command-tree.ts';
import { exampleWorlds } from './example-worlds.ts';

/** An example from a command's help, ready to run. */
export interface ExampleRun {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string | undefined;
  /** The command runs until Ctrl-C. */
  readonly goesOn: boolean;
}

/**
 * Creates the files, devices and servers that an example needs.
 *
 * @param command the words of the command name
 * @param more additional options
 */
export async function exampleRun(
  t: ExecutionContext,
  command: readonly string[],
  example: string,
  ...more: readonly string[]
): Promise<ExampleRun> {
  const make =
    exampleWorlds[command.join(' ')] ??
    exampleWorlds[command.slice(0, 2).join(' ')] ??
    exampleWorlds[command[0] ?? 'init'];
  if (make === undefined) throw new Error(`exampleWorlds has no entry for ${command.join(' ')}`);
  const world = await make(t, example);
  const given = words(example).slice(1);
  return {
    argv: withOptions(
      given.map((word) => replaced(word, world.instead ?? {})),
      [...(world.more ?? []), ...more],
    ),
    cwd: join(world.folder.path, world.stands ?? '.'),
    home: world.folder.path,
    env: world.env ?? {},
    stdin: world.stdin,
    goesOn: world.goesOn ?? false,
  };
}

/** Inserts options before `--`, because the arguments after it are passed to a different program. */
function withOptions(argv: readonly string[], options: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return end === -1 ? [...argv, ...options] : [...argv.slice(0, end), ...options, ...argv.slice(end)];
}

function replaced(word: string, instead: Readonly<Record<string, string>>): string {
  return Object.entries(instead).reduce((text, [from, to]) => text.replace(from, to), word);
}
