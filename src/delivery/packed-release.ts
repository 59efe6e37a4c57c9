import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { artifactSuffixes, manifestSuffix } from '../core/model/artifact.ts';
import { type Manifest, readManifest } from '../core/model/manifest.ts';
import { OtaError } from '../errors/ota-error.ts';
import { readNamedFile, readOptionalFile } from '../files/read.ts';
import { manifestListing, withPresentNames } from './present-names.ts';

/** Output of `pack` for one build: the manifest and the artifacts beside it. */
export interface PackedRelease {
  readonly manifestPath: string;
  /** Manifest of the build. If a single artifact was requested, the manifest lists only this artifact. */
  readonly manifest: Manifest;
  /**
   * Reads an artifact.
   *
   * @throws OtaError FILE_NOT_FOUND; ARTIFACT_CHANGED if the bytes do not match the manifest
   */
  readonly readArtifact: (file: string) => Promise<Uint8Array>;
}

/**
 * Opens the build that a file belongs to: an image, one of its artifacts, or the manifest itself. The manifest determines which files
 * belong to the build. After the image has been rebuilt, outdated artifacts are rejected by their digests. Renamed copies are accepted.
 *
 * @returns undefined if there is no manifest beside the file
 * @throws OtaError MANIFEST_INVALID, FORMAT_TOO_NEW; ARTIFACT_CHANGED if the image has changed since it was packed, or if the file is
 *   not one of the build's artifacts
 */
export async function openPackedRelease(path: string): Promise<PackedRelease | undefined> {
  const manifestPath = await manifestOf(path);
  const text = await readOptionalFile(manifestPath);
  if (text === undefined) return undefined;
  const manifest = await withPresentNames(readManifest(text, manifestPath), manifestPath);
  const folder = dirname(manifestPath);
  const changed = (file: string) =>
    new OtaError('ARTIFACT_CHANGED', { path: join(folder, file), manifest: manifestPath });

  const image = await readOptionalFile(join(folder, manifest.image.file));
  if (image !== undefined && sha256(image) !== manifest.image.sha256) throw changed(manifest.image.file);
  const named = basename(path);
  const isOneNamed = path !== manifestPath && named !== manifest.image.file;
  const artifacts = isOneNamed ? await namedArtifacts(manifest, path) : manifest.artifacts;
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

/** Returns the artifact with the name or, for a renamed copy, with the digest of a file. */
async function namedArtifacts({ artifacts }: Manifest, path: string): Promise<Manifest['artifacts']> {
  const file = basename(path);
  const byName = artifacts.filter((artifact) => artifact.file === file);
  const bytes = byName.length > 0 ? undefined : await readOptionalFile(path);
  if (bytes === undefined) return byName;
  const digest = sha256(bytes);
  return artifacts.filter((artifact) => artifact.sha256 === digest).map((artifact) => ({ ...artifact, file }));
}

async function manifestOf(path: string): Promise<string> {
  if (path.endsWith(manifestSuffix)) return path;
  const ofImage = path + manifestSuffix;
  if (existsSync(ofImage)) return ofImage;
  const suffix = [...artifactSuffixes].reverse().find((end) => path.endsWith(end));
  const ofArtifact = suffix === undefined ? ofImage : path.slice(0, -suffix.length) + manifestSuffix;
  return existsSync(ofArtifact) ? ofArtifact : ((await manifestListing(path)) ?? ofArtifact);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
