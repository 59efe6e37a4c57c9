import { apiEntries } from './catalog/api.ts';
import { cliEntries } from './catalog/cli.ts';
import { coreEntries } from './catalog/core.ts';
import { deliveryEntries } from './catalog/delivery.ts';
import type { ErrorEntry, ExitCode } from './catalog/entry.ts';
import { filesEntries } from './catalog/files.ts';
import { optionEntries } from './catalog/options.ts';
import { projectEntries } from './catalog/project.ts';
import { publishingEntries } from './catalog/publishing.ts';
import { serverEntries } from './catalog/server.ts';
import { simulatorEntries } from './catalog/simulator.ts';

/**
 * All errors that users can cause or encounter. `catalog/` contains `options.ts` and a file for each top-level folder of src that throws
 * errors. An error thrown by several folders is in the file of the lowest folder. A thrown error that is not an {@link OtaError} is a bug
 * in ota-hooks. It ends the process with exit code 70 and a stack trace.
 */
export const catalog = {
  ...cliEntries,
  ...optionEntries,
  ...projectEntries,
  ...publishingEntries,
  ...deliveryEntries,
  ...simulatorEntries,
  ...serverEntries,
  ...apiEntries,
  ...coreEntries,
  ...filesEntries,
} satisfies Record<string, ErrorEntry<never>>;

export type { ExitCode };
export type ErrorCode = keyof typeof catalog;
export type FieldsOf<Code extends ErrorCode> = Parameters<(typeof catalog)[Code]['message']>[0];

/**
 * Failure that users can cause or encounter. Contains a message, a hint and an exit code: `throw new OtaError('KEY_IS_PUBLIC', { path
 * })`.
 */
export class OtaError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'OtaError';
  readonly code: Code;
  readonly fields: FieldsOf<Code>;
  readonly hint: string;
  readonly exitCode: ExitCode;

  constructor(code: Code, fields: FieldsOf<Code>, cause?: unknown) {
    // The lookup loses the relation between a code and the code's fields. The constructor signature has already checked this relation.
    const found = catalog[code] as ErrorEntry<FieldsOf<Code>>;
    super(found.message(fields), cause === undefined ? undefined : { cause });
    this.code = code;
    this.fields = fields;
    this.hint = found.hint(fields);
    this.exitCode = found.exitCode;
  }
}
