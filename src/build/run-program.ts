import { execa } from 'execa';
import { OtaError } from '../errors.ts';

/** A program that a build needs, and how a user gets it. */
export interface Program {
  readonly name: string;
  readonly howToGet: string;
  /** What to do when it fails, where there is something to say. */
  readonly hint?: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Runs a program by an argv list, never through a shell; its output appears as it comes, on the streams of this process.
 *
 * @throws OtaError PROGRAM_MISSING, PROGRAM_FAILED with the command line
 */
export async function runProgram(program: Program, argv: readonly string[], options: RunOptions): Promise<void> {
  const result = await execa(program.name, argv, {
    cwd: options.cwd,
    env: options.env ?? {},
    cancelSignal: options.signal,
    // stdout belongs to this tool's own result (--json); a build's log is for people.
    stdout: 2,
    stderr: 2,
    stdin: 'inherit',
    reject: false,
  });
  if (!result.failed) return;
  if (result.code === 'ENOENT' && result.exitCode === undefined) {
    throw new OtaError('PROGRAM_MISSING', { program: program.name, howToGet: program.howToGet }, result);
  }
  throw new OtaError('PROGRAM_FAILED', {
    command: result.escapedCommand,
    outcome:
      result.exitCode === undefined
        ? `was ended by ${result.signal ?? 'a signal'}`
        : `failed with exit code ${result.exitCode}`,
    ...(program.hint === undefined ? {} : { hint: program.hint }),
  });
}
