import { OtaError } from '../errors/ota-error.ts';
import { nameOfPublication, type Publication } from './publication.ts';

const hint = 'Pass the path of a single build, or delete the leftover builds.';

/**
 * Checks that all builds belong to one version of one project, without duplicates. Otherwise, an old build in the folder could be
 * published by mistake.
 *
 * @throws OtaError RELEASES_CLASH
 */
export function requireOneVersion(publications: readonly Publication[]): void {
  const [first] = publications;
  const builds = publications.map((each) => `${nameOfPublication(each)} in ${each.path}`).join(', ');
  const isOne = publications.every(({ project, version }) => project === first?.project && version === first.version);
  if (!isOne)
    throw new OtaError('RELEASES_CLASH', { reason: 'they belong to different versions or projects', builds, hint });
  const names = new Set(publications.map(nameOfPublication));
  if (names.size < publications.length) {
    throw new OtaError('RELEASES_CLASH', {
      reason: 'there are several builds for the same board and kind',
      builds,
      hint,
    });
  }
}
