import type { Artifact, Manifest } from '../model/manifest.ts';

/**
 * Returns the artifact that contains all bytes of the image: the image itself, or a signed raw artifact. A signed filesystem image can
 * lack the end of the image, and a compressed image may have been compressed by its build.
 */
export function artifactWithImage({ image, artifacts }: Pick<Manifest, 'image' | 'artifacts'>): Artifact | undefined {
  const own = artifacts.find(({ file }) => file === image.file);
  if (own !== undefined || image.encoding !== 'identity') return own;
  const isWhole = ({ encoding, signature, payloadBytes }: Artifact) =>
    encoding === 'identity' && signature !== 'none' && payloadBytes >= image.sizeBytes;
  return artifacts.find(isWhole);
}
