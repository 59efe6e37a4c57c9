import type { ReleaseInfo } from '../../../api/release-info.ts';
import type { CurrentRelease, ReleaseRecord } from '../../storage/records.ts';

/** Converts a release to its API representation. */
export function releaseInfo(release: ReleaseRecord, currentReleases: readonly CurrentRelease[]): ReleaseInfo {
  const { project, version, kind, board, purpose, publishedAt, yanked, manifest } = release;
  const { image, enforcement, signing, artifacts, allowedRules } = manifest;
  return {
    project,
    version,
    kind,
    board: board === '' ? undefined : board,
    purpose,
    channels: currentReleases.filter((entry) => entry.release.id === release.id).map(({ channel }) => channel),
    publishedAt: new Date(publishedAt).toISOString(),
    yanked,
    image: { sizeBytes: image.sizeBytes, sha256: image.sha256, core: image.core },
    enforcement,
    keyFingerprint: signing.publicKey?.fingerprint,
    artifacts: artifacts.map(({ file, encoding, signature, sizeBytes, sha256 }) => ({
      file,
      encoding,
      signature,
      sizeBytes,
      sha256,
    })),
    allowedRules,
  };
}
