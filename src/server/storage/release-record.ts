import type { ReleaseRecord } from './records.ts';
import type { NewRelease } from './store.ts';

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
