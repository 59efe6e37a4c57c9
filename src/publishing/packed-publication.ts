import { readManifest } from '../core/model/manifest.ts';
import { openPackedRelease } from '../delivery/packed-release.ts';
import { OtaError } from '../errors/ota-error.ts';
import { readNamedFile } from '../files/read.ts';
import { resolveNames, type WantedNames } from './names.ts';
import type { Publication } from './publication.ts';

/**
 * Opens a build created by `pack` for publication, with all artifacts listed in its manifest.
 *
 * @param path path of an image, one of its artifacts, or the manifest
 * @throws OtaError MANIFEST_MISSING, MANIFEST_INVALID, FORMAT_TOO_NEW, ARTIFACT_CHANGED, USAGE
 */
export async function openPublication(
  path: string,
  names: WantedNames,
  { purpose, allow }: Pick<Publication, 'purpose' | 'allow'>,
): Promise<Publication> {
  const named = await openPackedRelease(path);
  if (named === undefined) throw new OtaError('MANIFEST_MISSING', { path });
  const { manifestPath } = named;
  // A build is published as a whole, even if the given path is one of its artifacts.
  const packed = path === manifestPath ? named : await openPackedRelease(manifestPath);
  if (packed === undefined) throw new OtaError('MANIFEST_MISSING', { path });
  const manifestText = Buffer.from(await readNamedFile(manifestPath, 'manifest')).toString('utf8');
  const manifest = readManifest(manifestText, manifestPath);
  return {
    path: manifestPath,
    ...resolveNames(manifest, names, manifestPath),
    purpose,
    allow,
    manifest,
    manifestText,
    readArtifact: packed.readArtifact,
  };
}
