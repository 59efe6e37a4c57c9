import type { ExecutionContext } from 'ava';
import { type ErrorCode, OtaError } from '../../src/errors/ota-error.ts';

/** Expects an OtaError with this code and returns it for further assertions. */
export async function expectOtaError(t: ExecutionContext, code: ErrorCode, run: () => unknown): Promise<OtaError> {
  const error = await t.throwsAsync(async () => run(), { instanceOf: OtaError });
  if (!(error instanceof OtaError)) throw new Error('no error was thrown');
  t.is(error.code, code, error.message);
  t.not(error.hint, '');
  return error;
}
