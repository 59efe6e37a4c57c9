import { OtaError } from '../../errors/ota-error.ts';
import type { ApiAnswer } from './connection.ts';

/** An answer that is no success. */
export type Refused = Extract<ApiAnswer, { problem: object }>;

/** A server's no as an error of ours. */
export function asError({ problem, status, url }: Refused): OtaError {
  const { code, hint } = problem;
  const message = [problem.message, ...(problem.problems ?? [])].join('; ');
  return new OtaError('SERVER_REFUSED', { url, status, code, message, hint });
}
