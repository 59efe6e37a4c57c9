import type { Encoding, ImageKind, SignatureFormat } from '../model/artifact.ts';
import type { Artifact, Manifest } from '../model/manifest.ts';

/**
 * Preflight input: an image and its artifacts. Every manifest is a release. `file-release.ts` converts a file without a manifest, in which
 * case some fields may be unknown.
 */
export interface Release {
  readonly project?: string | undefined;
  readonly version?: string | undefined;
  readonly board?: string | undefined;
  readonly image: ReleaseImage;
  /** Fingerprints of the RSA public keys in the image. */
  readonly embeddedKeys: readonly string[];
  /** `disproved`: the ELF shows that the Updater does not verify signatures. */
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
  /** Gzip size of a file without a manifest, if the file was compressed to measure it. */
  readonly gzipBytes?: number | undefined;
}

export interface ReleaseArtifact
  extends Readonly<Pick<Artifact, 'file' | 'sizeBytes' | 'payloadBytes' | 'inflate' | 'keyFingerprint'>> {
  readonly encoding: Encoding;
  /** `unverified`: signed, but not by any known key. */
  readonly signature: 'none' | 'unverified' | SignatureFormat;
}

/** Returns whether the artifact has a signature, verified or not. */
export function isSigned({ signature }: Pick<ReleaseArtifact, 'signature'>): boolean {
  return signature !== 'none';
}
