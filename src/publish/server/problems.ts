import { OtaError } from '../../errors.ts';
import { type Publication, whatOf } from '../publication.ts';
import type { ApiAnswer } from './connection.ts';

type Refused = Extract<ApiAnswer, { problem: object }>;

/** A server's no as an error of ours. */
export function asError({ problem, status, url }: Refused, publication?: Publication): OtaError {
  const { code, hint } = problem;
  if (publication !== undefined && code === 'version-taken') {
    const { project, version, manifest } = publication;
    const where = new URL(url).origin;
    return new OtaError('VERSION_TAKEN', { project, version, what: whatOf(manifest), where });
  }
  if (publication !== undefined && code === 'refused' && problem.refused !== undefined) {
    return new OtaError('PREFLIGHT_REFUSED', { path: publication.path, refused: problem.refused });
  }
  const message = [problem.message, ...(problem.problems ?? [])].join('; ');
  return new OtaError('SERVER_REFUSED', { url, status, code, message, hint });
}
