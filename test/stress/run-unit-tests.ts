import { execa } from 'execa';

/** Outcome of one run of the unit tests. */
export interface UnitTestRun {
  readonly passed: number;
  /** Titles of failed tests, and AVA's own message if no test finished in time. */
  readonly failures: readonly string[];
  readonly isGreen: boolean;
  readonly seconds: number;
}

/** @param command prefix for the `ava` command */
export async function runUnitTests(command: readonly string[], timeout: string): Promise<UnitTestRun> {
  const [program = '', ...argv] = [...command, process.execPath, 'node_modules/ava/entrypoints/cli.mjs', '--tap'];
  const started = performance.now();
  const { stdout, exitCode } = await execa(program, [...argv, '--timeout', timeout], { reject: false, maxBuffer: 1e9 });
  const seconds = Math.round((performance.now() - started) / 1000);
  const lines = stdout.split('\n');
  const failures = lines.flatMap((line) => /^not ok \d+ - (.*)/.exec(line)?.[1] ?? []);
  if (exitCode !== 0 && failures.length === 0) failures.push(`exit code ${exitCode}`);
  return {
    passed: lines.filter((line) => line.startsWith('ok ')).length,
    failures,
    isGreen: exitCode === 0 && failures.length === 0,
    seconds,
  };
}
