import { OtaError } from '../../errors/ota-error.ts';
import type { ApiResponse } from './connection.ts';

/** Error response from the server. */
export type Refused = Extract<ApiResponse, { problem: object }>;

/** Converts the server's error response into an `OtaError`. */
export function asError({ problem, status, url }: Refused): OtaError {
  const { code, hint } = problem;
  const message = [problem.message, ...(problem.problems ?? [])].join('; ');
  return new OtaError('SERVER_REJECTED', { url, status, code, message, hint });
}
