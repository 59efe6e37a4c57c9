import { visit } from 'jsonc-parser';

/** Position of a syntax error as editors show it; lines and columns start at 1. */
export interface JsonError {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the first syntax error; undefined if the text is valid JSON. `JSON.parse` messages often contain no position and instead quote the
 * surrounding text, which may be a secret that does not belong in the file.
 *
 * @returns also undefined for thousands of open brackets, which overflow the parser's stack
 */
export function findJsonError(json: string): JsonError | undefined {
  let first: JsonError | undefined;
  const onError = (_code: number, _offset: number, _length: number, line: number, column: number) => {
    first ??= { line: line + 1, column: column + 1 };
  };
  try {
    visit(json, { onError }, { disallowComments: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return first;
}
