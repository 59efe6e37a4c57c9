import { mostBlobBytes } from '../../api/release.ts';
import type { Manifest } from '../../core/model/manifest.ts';
import type { ReleaseRecord } from './records.ts';
import type { NewRelease } from './store.ts';

/** Maximum number of artifacts in a release. `pack` and `sign` create at most 5. */
const mostArtifacts = 8;

/** Returns a message for each release limit that a manifest exceeds. */
export function beyondReleaseLimits({ board = '', artifacts }: Manifest): readonly string[] {
  const problems: string[] = [];
  if (board.length > 64) problems.push('the board name is longer than 64 characters');
  if (new Set(artifacts.map(({ file }) => file)).size < artifacts.length) {
    problems.push('two artifacts have the same name');
  }
  const total = artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (artifacts.length > mostArtifacts || total > mostArtifacts * mostBlobBytes) {
    problems.push(`more than ${mostArtifacts} artifacts, or more bytes than a build can contain`);
  }
  return problems;
}

/** Returns whether a release may be promoted: it is neither a reference build nor yanked. */
export function isPromotable({ purpose, yanked }: ReleaseRecord): boolean {
  return purpose === 'serve' && yanked === undefined;
}

/**
 * Returns whether two releases have the same artifacts. For reference builds this is always true, because the image digest is part of the
 * name.
 */
export function hasSameBytes(present: ReleaseRecord, { release }: NewRelease): boolean {
  if (release.purpose === 'reference') return true;
  return digestsOf(present) === digestsOf(release);
}

function digestsOf({ manifest }: Pick<ReleaseRecord, 'manifest'>): string {
  return manifest.artifacts
    .map(({ file, sha256 }) => `${file} ${sha256}`)
    .sort()
    .join('\n');
}
