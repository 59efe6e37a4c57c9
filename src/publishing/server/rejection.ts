import { asError, type Refused } from '../../api/client/problems.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { type Publication, whatOf } from '../publication.ts';

/** Converts the server's rejection of a publication into an OtaError. */
export function rejectionOf(response: Refused, publication: Publication): OtaError {
  const { problem, url } = response;
  if (problem.code === 'version-taken') {
    const { project, version, manifest } = publication;
    return new OtaError('VERSION_TAKEN', { project, version, what: whatOf(manifest), where: new URL(url).origin });
  }
  if (problem.code === 'blocked' && problem.blockedBy !== undefined) {
    return new OtaError('UPDATE_BLOCKED', { path: publication.path, blockedBy: problem.blockedBy });
  }
  return asError(response);
}
