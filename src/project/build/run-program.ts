import { basename } from 'node:path';
import { execa } from 'execa';
import { OtaError } from '../../errors/ota-error.ts';
import { buildEnvironment } from './child-environment.ts';
import { programHere } from './find-program.ts';

/** Program that a build needs, and instructions for installing it. */
export interface Program {
  /** Absolute path, or a plain name to search in PATH. */
  readonly name: string;
  readonly howToGet: string;
  /** Finds the hint for the user after the program has failed. */
  readonly hintFor?: () => Promise<string | undefined>;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly signal: AbortSignal;
}

/**
 * Runs a program by its absolute path with a list of arguments, never through a shell. The program's output is forwarded immediately to
 * the stderr of this process.
 *
 * @throws OtaError PROGRAM_MISSING, PROGRAM_FAILED
 */
export async function runProgram(program: Program, argv: readonly string[], options: RunOptions): Promise<void> {
  const path = programHere(program.name, options);
  if (path === undefined) throw missing(program);
  const result = await execa(path, argv, {
    cwd: options.cwd,
    env: buildEnvironment(options.env, options.platform),
    extendEnv: false,
    cancelSignal: options.signal,
    // stdout is reserved for the result of this tool (--json). Build logs are written to stderr.
    stdout: 2,
    stderr: 2,
    stdin: 'inherit',
    reject: false,
  });
  if (!result.failed) return;
  const hint = await program.hintFor?.();
  throw new OtaError('PROGRAM_FAILED', {
    // The arguments are omitted, because they can fill a screen below the program's own message.
    command: [basename(program.name), argv[0] ?? ''].join(' '),
    outcome: outcomeOf(result),
    ...(hint === undefined ? {} : { hint }),
  });
}

interface Outcome {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** System error code if the program could not be started. */
  readonly code?: string | undefined;
}

function outcomeOf({ exitCode, signal, code }: Outcome): string {
  if (exitCode !== undefined) return `failed with exit code ${exitCode}`;
  if (signal === undefined && code !== undefined) return `could not be started (${code})`;
  return `was ended by ${signal ?? 'a signal'}`;
}

/** Returns the error for a missing program. Relative paths are not supported, because they refer to a different file in each source tree. */
function missing({ name, howToGet }: Program): OtaError {
  const isPath = /[\\/]/.test(name);
  return new OtaError('PROGRAM_MISSING', {
    program: name,
    howToGet: isPath ? `Use the absolute path of an executable file. ${howToGet}` : howToGet,
  });
}
