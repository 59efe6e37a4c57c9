import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
/** Timeout of a command, much longer than any command requires. */
const longestMs = 60_000;

/** Working directory and environment for the commands. */
export interface Place {
  readonly folder: string;
  /** Exported variables. */
  readonly env: Readonly<Record<string, string>>;
}

export function say(text: string): void {
  process.stdout.write(`\n# ${text}\n`);
}

/** Prints a command, runs it and checks its exit code. */
export async function run({ folder, env }: Place, argv: readonly string[], expectedExitCode = 0): Promise<void> {
  process.stdout.write(`$ ota-hooks ${argv.join(' ')}\n`);
  const { exitCode } = await execa(process.execPath, [cli, ...argv], {
    cwd: folder,
    env,
    stdio: 'inherit',
    reject: false,
    timeout: longestMs,
  });
  if (exitCode !== expectedExitCode) throw new Error(`expected exit code ${expectedExitCode}, got ${exitCode}`);
  if (exitCode !== 0) process.stdout.write(`(exit code ${exitCode})\n`);
}

/** Starts a command that runs until it is disposed; with --json it prints one event per line. */
export function begin({ folder, env }: Place, argv: readonly string[]) {
  process.stdout.write(`$ ota-hooks ${argv.join(' ')} &\n`);
  const child = execa(process.execPath, [cli, ...argv], {
    cwd: folder,
    env,
    stderr: 'inherit',
    reject: false,
    timeout: longestMs,
  });
  const lines = child.iterable({ from: 'stdout' })[Symbol.asyncIterator]();
  return {
    /** Prints events until the event `wanted` arrives. */
    async event(wanted: string): Promise<Readonly<Record<string, string>>> {
      for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
        process.stdout.write(`${line.value}\n`);
        const event = JSON.parse(String(line.value));
        if (event.event === wanted) return event;
      }
      throw new Error(`${argv[0]} ended without the event "${wanted}"`);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT');
      await child;
    },
  };
}
