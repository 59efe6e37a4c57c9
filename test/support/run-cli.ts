import { fileURLToPath } from 'node:url';
import { execa, type Options } from 'execa';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

/** What came of a run of the command line. */
export interface CliRun {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command line from its sources, in a process of its own: what users see, without a build before. */
export function startCli(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const options = {
    cwd,
    env: { NO_COLOR: '', CI: '', ...env },
    reject: false,
    stripFinalNewline: false,
  } satisfies Options;
  return execa(process.execPath, [`--import=${tsx}`, cli, ...argv], options);
}

/** The same, to its end. */
export async function runCli(
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CliRun> {
  const { exitCode, stdout, stderr } = await startCli(argv, cwd, env);
  return { exitCode, stdout, stderr };
}
