import { formatManifest, type Manifest } from '../core/model/manifest.ts';
import { checkRelease } from '../core/preflight/check-release.ts';
import { rulesAllowedByProject } from '../core/preflight/project-rules.ts';
import { artifactWithImage } from '../core/preflight/whole-image.ts';
import { openPackedRelease } from '../delivery/packed-release.ts';
import { OtaError } from '../errors/ota-error.ts';
import { resolveNames, type WantedNames } from './names.ts';
import type { AllowedRule, Publication } from './publication.ts';

export interface OpenOptions extends Pick<Publication, 'purpose' | 'allow'> {
  /** True to leave out the unsigned artifacts of a signed build (`publish.unsigned` in the configuration). */
  readonly signedOnly?: boolean | undefined;
}

/**
 * Opens a build created by `pack` for publication, with the artifacts listed in its manifest.
 *
 * @param path path of an image, one of its artifacts, or the manifest
 * @throws OtaError MANIFEST_MISSING, MANIFEST_INVALID, FORMAT_TOO_NEW, ARTIFACT_CHANGED, USAGE
 */
export async function openPublication(
  path: string,
  names: WantedNames,
  { purpose, allow, signedOnly = false }: OpenOptions,
): Promise<Publication> {
  const named = await openPackedRelease(path);
  if (named === undefined) throw new OtaError('MANIFEST_MISSING', { path });
  const { manifestPath } = named;
  // A build is published as a whole, even if `path` is one of its artifacts.
  const packed = path === manifestPath ? named : await openPackedRelease(manifestPath);
  if (packed === undefined) throw new OtaError('MANIFEST_MISSING', { path });
  const manifest = signedOnly ? withoutUnsigned(packed.manifest) : packed.manifest;
  return {
    path: manifestPath,
    ...resolveNames(manifest, names, manifestPath),
    purpose,
    allow: [...allow, ...neededAllowances(manifest, allow)],
    manifest,
    manifestText: formatManifest(manifest),
    readArtifact: packed.readArtifact,
  };
}

/**
 * Leaves out unsigned artifacts. A server checks all facts against the image, so the image stays if no signed artifact contains all of
 * its bytes.
 */
function withoutUnsigned(manifest: Manifest): Manifest {
  const artifacts = manifest.artifacts.filter(({ signature }) => signature !== 'none');
  if (artifacts.length === 0) return manifest;
  const signed = { ...manifest, artifacts };
  if (artifactWithImage(signed) !== undefined) return signed;
  const image = artifactWithImage(manifest);
  return image === undefined ? manifest : { ...manifest, artifacts: [image, ...artifacts] };
}

/** Returns the rules that block publishing the build and that its project allows. A server permits each rule separately. */
function neededAllowances(manifest: Manifest, allow: readonly AllowedRule[]): readonly AllowedRule[] {
  const { blockedBy } = checkRelease(manifest, { publishing: true, allow: new Set(allow) });
  return rulesAllowedByProject(manifest).filter((id) => blockedBy.some(({ rule }) => rule === id));
}
