import { productDigest } from '../firmware/update-metadata.ts';
import type { ImageKind } from '../model/artifact.ts';
import type { Artifact, Manifest, ManifestMetadata, UpdateMetadata } from '../model/manifest.ts';

/** Image that an artifact contains, uncompressed. */
export interface ImageContent {
  readonly kind: ImageKind;
  readonly content: Uint8Array;
}

/** Returns the metadata of a raw artifact. */
export function rawArtifactMetadata(
  { kind, content }: ImageContent,
  { product, securityVersion }: ManifestMetadata,
): UpdateMetadata {
  const [, , flashModeByte = 0, flashSizeByte = 0] = kind === 'sketch' ? content : [];
  return {
    format: 1,
    kind,
    flashModeByte,
    flashSizeByte,
    memberBytes: 0,
    lowestStart: 0,
    securityVersion,
    product: productDigest(product),
  };
}

/**
 * Returns the metadata of a gzip artifact. Whether eboot erases or inflates first depends on the core of the device, so the metadata
 * contains the higher of both staging addresses.
 */
export function gzipArtifactMetadata(
  image: ImageContent,
  metadata: ManifestMetadata,
  { payloadBytes, inflate }: Pick<Artifact, 'payloadBytes' | 'inflate'>,
): UpdateMetadata {
  const lowestStart = inflate?.lowestStaging?.erasesFirst ?? 0;
  return { ...rawArtifactMetadata(image, metadata), memberBytes: payloadBytes, lowestStart };
}

/** Returns the metadata that an artifact must contain according to its manifest; undefined if it must not contain metadata. */
export function expectedMetadata(
  { image: { file, kind }, metadata }: Manifest,
  artifact: Artifact,
  content: Uint8Array,
): UpdateMetadata | undefined {
  // An image stays as its build made it.
  if (metadata === undefined || artifact.file === file) return artifact.metadata;
  if (artifact.encoding === 'gzip') return gzipArtifactMetadata({ kind, content }, metadata, artifact);
  const isMarked = metadata.raw && artifact.signature === 'current';
  return isMarked ? rawArtifactMetadata({ kind, content }, metadata) : undefined;
}
