/** Exit code. 1: the operation failed; 2: wrong usage or configuration; 3: blocked by preflight because the update is unsafe. */
export type ExitCode = 1 | 2 | 3;

/** Catalog entry of an error code. */
export interface ErrorEntry<Fields> {
  readonly exitCode: ExitCode;
  /** One line that says what failed and why, with the facts of the case. */
  readonly message: (fields: Fields) => string;
  /** Explanation for the documentation, without facts of the case. */
  readonly why: string;
  /** Next step for the user: an imperative sentence. */
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

/** `reason` is a text or the code of a system error, which messages explain. */
export interface PathAndReason extends PathField {
  readonly reason: string;
}
