import { alignGzip } from '../compression/alignment.ts';
import { padToWord } from '../firmware/pad-to-word.ts';
import { withGzipMetadata, withRawMetadata } from '../firmware/update-metadata.ts';
import type { Artifact, ManifestMetadata } from '../model/manifest.ts';
import { gzipArtifactMetadata, type ImageContent, rawArtifactMetadata } from '../preflight/expected-metadata.ts';
import { quickInflateFacts } from '../preflight/image-facts.ts';
import { digests } from './digests.ts';

/** Bytes of an artifact without a signature, and the facts about them for the manifest. */
export type MarkedPayload = { readonly bytes: Uint8Array } & Pick<Artifact, 'inflate' | 'metadata'>;

/** Returns the entries of an unsigned artifact in a manifest. */
export function artifactFacts({ bytes, inflate, metadata }: MarkedPayload) {
  return { payloadBytes: bytes.length, inflate, metadata, ...digests(bytes) };
}

/**
 * Aligns a gzip file, and puts the metadata into its header. The metadata contains the size of the file and its lowest staging address,
 * which depend on the size of the metadata but not on its values.
 *
 * @param metadata undefined: without metadata
 */
export async function alignedGzip(
  gzip: Uint8Array,
  image: ImageContent,
  metadata: ManifestMetadata | undefined,
): Promise<MarkedPayload> {
  const isMarked = metadata !== undefined;
  const aligned = alignGzip(isMarked ? withGzipMetadata(gzip, rawArtifactMetadata(image, metadata)) : gzip);
  const inflate = await quickInflateFacts(aligned, image.content, image.kind === 'sketch');
  if (!isMarked) return { bytes: aligned, inflate };
  const facts = gzipArtifactMetadata(image, metadata, { payloadBytes: aligned.length, inflate });
  return { bytes: withGzipMetadata(aligned, facts), inflate, metadata: facts };
}

/** Appends the metadata to a raw image, padded to a multiple of 4 bytes. */
export function markedRaw(image: Uint8Array, content: ImageContent, metadata: ManifestMetadata): MarkedPayload {
  const facts = rawArtifactMetadata(content, metadata);
  return { bytes: withRawMetadata(padToWord(image), facts), metadata: facts };
}
