import type { ExecutionContext } from 'ava';
import type { OtaError } from '../../src/errors/ota-error.ts';
import { runVerb } from '../support/run-verb.ts';
import { testFolder } from '../support/test-folder.ts';

/** What meets an error: a run of a verb, or a call of the library where no verb can. */
export type Provocation = (t: ExecutionContext) => Promise<{ readonly error: OtaError | undefined }>;

type Files = Readonly<Record<string, string | Uint8Array>>;

/** Runs a verb in a folder with these files. */
export function inFolder(argv: string, files: Files = {}, env: Readonly<Record<string, string>> = {}): Provocation {
  return async (t) => {
    const { path } = await testFolder(t, files);
    return runVerb(argv.split(' '), { cwd: path, env });
  };
}
