import type { Encoding, ImageKind, SignatureFormat } from '../model/artifact.ts';
import type { Artifact, Manifest } from '../model/manifest.ts';

/**
 * What is judged: an image and the artifacts made of it. Every manifest is one; a file without a manifest is inspected and becomes
 * one (`file-release.ts`), and then some of it may be unknown.
 */
export interface Release {
  readonly project?: string | undefined;
  readonly version?: string | undefined;
  readonly board?: string | undefined;
  readonly image: ReleaseImage;
  /** Fingerprints of all RSA public keys in the image. */
  readonly embeddedKeys: readonly string[];
  /** `disproved`: the ELF shows that the Updater does not verify. */
  readonly enforcement: Manifest['enforcement'] | 'disproved';
  readonly signing: { readonly publicKey?: { readonly fingerprint: string; readonly bits: number } | undefined };
  readonly artifacts: readonly ReleaseArtifact[];
}

export interface ReleaseImage
  extends Readonly<
    Pick<
      Manifest['image'],
      'core' | 'flashMode' | 'flashSizeBytes' | 'contentBytes' | 'findings' | 'layout' | 'traces' | 'filesystem'
    >
  > {
  readonly kind: ImageKind | 'unknown';
  /** What gzip makes of it, where a file without a manifest was compressed to find out. */
  readonly gzipBytes?: number | undefined;
}

export interface ReleaseArtifact
  extends Readonly<Pick<Artifact, 'file' | 'sizeBytes' | 'payloadBytes' | 'inflate' | 'keyFingerprint'>> {
  readonly encoding: Encoding;
  /** `unverified`: there is a signature, and no known key made it. */
  readonly signature: 'none' | 'unverified' | SignatureFormat;
}

/** True for an artifact with a signature behind it, whoever made it. */
export function isSigned({ signature }: Pick<ReleaseArtifact, 'signature'>): boolean {
  return signature !== 'none';
}
