import type { ServerParts } from '../../parts.ts';
import { DomainError } from '../../services/domain-error.ts';
import { problemOf, statusOf } from '../api/problem-of.ts';
import { sentence } from './error-page.tsx';

/** Shows why a form was rejected, above the form with its content. */
export function FormProblem({ problem }: { readonly problem: DomainError | undefined }) {
  if (problem === undefined) return undefined;
  return (
    <div class="problem" role="alert">
      <p>{sentence(problem.message)}</p>
      <p>{problem.hint}</p>
    </div>
  );
}

/** Converts the error of a form. Errors that a change to the form cannot correct are thrown again, for the error page. */
export function formProblem(
  error: unknown,
  parts: ServerParts,
): { problem: DomainError; status: ReturnType<typeof statusOf> } {
  if (!(error instanceof DomainError) || error.code === 'role-missing') throw error;
  const problem = problemOf(error, parts);
  return { problem, status: statusOf(problem) };
}
