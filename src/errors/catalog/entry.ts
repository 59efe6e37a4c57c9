/** Exit code. 1: the operation failed; 2: wrong usage or configuration; 3: blocked by preflight because the update is unsafe. */
export type ExitCode = 1 | 2 | 3;

/** Catalog entry for an error code. */
export interface ErrorEntry<Fields> {
  readonly exitCode: ExitCode;
  /** One line that states what failed and why, with the details of this case. */
  readonly message: (fields: Fields) => string;
  /** Explanation for the documentation, without details of a specific case. */
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

/** `reason` is a text or a system error code; messages explain the code. */
export interface PathAndReason extends PathField {
  readonly reason: string;
}
