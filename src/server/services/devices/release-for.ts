import type { ReleaseRecord } from '../../storage/records.ts';

/**
 * Selects the release for a board among releases of one kind. If the board is unknown, selects a release only if there is exactly one.
 */
export function releaseFor(releases: readonly ReleaseRecord[], board: string | undefined): ReleaseRecord | undefined {
  if (board !== undefined) {
    return releases.find((release) => release.board === board) ?? releases.find((release) => release.board === '');
  }
  return releases.length === 1 ? releases[0] : undefined;
}
