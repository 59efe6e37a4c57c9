import type { ReleaseImageInfo, ReleaseInfo } from '../../../api/release-info.ts';
import type { CurrentRelease, ReleaseRecord } from '../../storage/records.ts';

/** Converts the images of a version to their API representation. */
export function releaseInfo(
  {
    project,
    version,
    images,
  }: Pick<ReleaseInfo, 'project' | 'version'> & { readonly images: readonly ReleaseRecord[] },
  currentReleases: readonly CurrentRelease[],
): ReleaseInfo {
  return { project, version, images: images.map((image) => releaseImage(image, currentReleases)) };
}

/** Converts an image to its API representation. */
export function releaseImage(release: ReleaseRecord, currentReleases: readonly CurrentRelease[]): ReleaseImageInfo {
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
