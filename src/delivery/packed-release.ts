import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { artifactSuffixes, manifestSuffix } from '../core/model/artifact.ts';
import { type Manifest, parseManifest } from '../core/model/manifest.ts';
import { OtaError } from '../errors/ota-error.ts';
import { readNamedFile, readOptionalFile } from '../files/read.ts';

/** A build as `pack` left it: the manifest, and the artifacts beside it. */
export interface PackedRelease {
  readonly manifestPath: string;
  /** Where one artifact was named, only that one is in it. */
  readonly manifest: Manifest;
  /**
   * The bytes of an artifact.
   *
   * @throws OtaError FILE_NOT_FOUND; ARTIFACT_CHANGED when they are not those that the manifest describes
   */
  readonly readArtifact: (file: string) => Promise<Uint8Array>;
}

/**
 * Opens the build that a file belongs to: an image, one of its artifacts, or the manifest itself. The manifest counts, never what happens to
 * lie beside the image: artifacts of an image that was built again since are refused by their digests.
 *
 * @returns undefined when no manifest stands beside it
 * @throws OtaError MANIFEST_INVALID; ARTIFACT_CHANGED when the image is not the one that was packed, or the artifact not one of it
 */
export async function openPackedRelease(path: string): Promise<PackedRelease | undefined> {
  const manifestPath = manifestOf(path);
  const text = await readOptionalFile(manifestPath);
  if (text === undefined) return undefined;
  const parsed = parseManifest(Buffer.from(text).toString('utf8'));
  if ('reason' in parsed) throw new OtaError('MANIFEST_INVALID', { path: manifestPath, reason: parsed.reason });
  const { manifest } = parsed;
  const folder = dirname(manifestPath);
  const changed = (file: string) =>
    new OtaError('ARTIFACT_CHANGED', { path: join(folder, file), manifest: manifestPath });

  const image = await readOptionalFile(join(folder, manifest.image.file));
  if (image !== undefined && sha256(image) !== manifest.image.sha256) throw changed(manifest.image.file);
  const named = basename(path);
  const isOneNamed = path !== manifestPath && named !== manifest.image.file;
  const artifacts = manifest.artifacts.filter(({ file }) => !isOneNamed || file === named);
  if (artifacts.length === 0) throw changed(named);
  return {
    manifestPath,
    manifest: { ...manifest, artifacts },
    readArtifact: async (file) => {
      const bytes = await readNamedFile(join(folder, file), 'artifact');
      if (sha256(bytes) !== artifacts.find((artifact) => artifact.file === file)?.sha256) throw changed(file);
      return bytes;
    },
  };
}

function manifestOf(path: string): string {
  if (path.endsWith(manifestSuffix)) return path;
  const ofImage = path + manifestSuffix;
  if (existsSync(ofImage)) return ofImage;
  const suffix = [...artifactSuffixes].reverse().find((end) => path.endsWith(end));
  return suffix === undefined ? ofImage : path.slice(0, -suffix.length) + manifestSuffix;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
