import * as v from 'valibot';

/** Error of a command that failed. */
export const errorSchema = v.strictObject({
  /** Code of the error catalog. */
  code: v.string(),
  message: v.string(),
  hint: v.string(),
  exitCode: v.number(),
});

/** JSON output of a command that failed without a result. A command that fails with a result adds the member `error` to it. */
export const failureDocument = v.strictObject({ error: errorSchema });
