import { visit } from 'jsonc-parser';

/** Position of a syntax error, as shown by editors. Lines and columns start at 1. */
export interface JsonError {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the first syntax error; undefined if the text is valid JSON. Messages of `JSON.parse` are not used, because they often contain no
 * position and may quote a secret from the text.
 *
 * @returns the position; undefined if there is no error, or if too many open brackets overflow the parser's stack
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
