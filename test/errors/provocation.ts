import type { ExecutionContext } from 'ava';
import type { OtaError } from '../../src/errors/ota-error.ts';
import { runCommand } from '../support/run-command.ts';
import { testFolder } from '../support/test-folder.ts';

/** Provokes an error: runs a command, or calls the library where no command can provoke it. */
export type Provocation = (t: ExecutionContext) => Promise<{ readonly error: OtaError | undefined }>;

type Files = Readonly<Record<string, string | Uint8Array>>;

/** Runs a command in a folder with these files. */
export function inFolder(argv: string, files: Files = {}, env: Readonly<Record<string, string>> = {}): Provocation {
  return async (t) => {
    const { path } = await testFolder(t, files);
    return runCommand(argv.split(' '), { cwd: path, env });
  };
}
