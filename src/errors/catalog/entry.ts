/** Exit code. 1: the operation failed. 2: incorrect usage or configuration. 3: preflight blocked an unsafe update. */
export type ExitCode = 1 | 2 | 3;

/** Catalog entry for an error code. */
export interface ErrorEntry<Fields> {
  readonly exitCode: ExitCode;
  /** Message of one line that states what failed and why, with the details of the case. */
  readonly message: (fields: Fields) => string;
  /** Explanation for the documentation, without the details of a case. */
  readonly why: string;
  /** Hint for the user: an imperative sentence about the next step. */
  readonly hint: (fields: Fields) => string;
}

export function entry<Fields = Record<never, never>>(
  exitCode: ExitCode,
  message: ErrorEntry<Fields>['message'],
  why: string,
  hint: ErrorEntry<Fields>['hint'],
): ErrorEntry<Fields> {
  return { exitCode, message, why, hint };
}

export interface PathField {
  readonly path: string;
}

/** `reason` is plain text or a system error code. Messages replace a system error code with its explanation. */
export interface PathAndReason extends PathField {
  readonly reason: string;
}
