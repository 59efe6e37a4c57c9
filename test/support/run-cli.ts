import { fileURLToPath } from 'node:url';
import { execa, type Options } from 'execa';

/** Path of the built CLI. `npm test` and `npm run test:e2e` build the CLI first. */
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Result of a CLI run. */
export interface CliRun {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Starts the built CLI in its own process, as users do.
 *
 * @param under program with arguments that starts it, such as `prlimit --nofile=30`
 */
export function startCli(
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  under: readonly string[] = [],
) {
  const options = {
    cwd,
    env: { NO_COLOR: '', CI: '', OTA_SIGNING_LOG: 'off', ...env },
    reject: false,
    stripFinalNewline: false,
  } satisfies Options;
  const [program = process.execPath, ...rest] = [...under, process.execPath, cli, ...argv];
  return execa(program, rest, options);
}

/** Runs the built CLI to its end. */
export async function runCli(
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CliRun> {
  const { exitCode, stdout, stderr } = await startCli(argv, cwd, env);
  return { exitCode, stdout, stderr };
}
