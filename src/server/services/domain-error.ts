import type { ApiProblem, ApiProblemCode } from '../../api/api-problems.ts';

type More = Omit<ApiProblem['error'], 'code' | 'message' | 'hint'>;

/** Error thrown by a use case. `http/api/problem-of.ts` maps its code to a response status and body. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ApiProblemCode;
  readonly hint: string;
  readonly more: More;

  /** @param hint instruction for the user */
  constructor(code: ApiProblemCode, message: string, hint: string, more: More = {}) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.more = more;
  }
}
