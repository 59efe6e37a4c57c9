import { type ApiProblem, type ApiProblemCode, apiProblems } from '../../domain/api-problems.ts';

type More = Omit<ApiProblem['error'], 'code' | 'message' | 'hint'>;

/** A request that is not done, with the reason as the client gets it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiProblemCode;
  readonly hint: string;
  readonly more: More;

  constructor(code: ApiProblemCode, message: string, hint: string, more: More = {}) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.more = more;
  }

  get status(): (typeof apiProblems)[ApiProblemCode]['status'] {
    return apiProblems[this.code].status;
  }

  get problem(): ApiProblem {
    return { error: { code: this.code, message: this.message, hint: this.hint, ...this.more } };
  }
}
