import { fileURLToPath } from 'node:url';
import { execa, type Options } from 'execa';

/** `npm test` and `npm run test:e2e` build it before. */
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** What came of a run of the command line. */
export interface CliRun {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built command line in a process of its own, as users do. */
export function startCli(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
  const options = {
    cwd,
    env: { NO_COLOR: '', CI: '', ...env },
    reject: false,
    stripFinalNewline: false,
  } satisfies Options;
  return execa(process.execPath, [cli, ...argv], options);
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
