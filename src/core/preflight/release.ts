import type { Encoding, ImageKind, SignatureFormat } from '../model/artifact.ts';
import type { Artifact, Manifest, ManifestMetadata, RuleAllowance } from '../model/manifest.ts';

/**
 * Input of preflight: an image and its artifacts. Every manifest is a valid release. For a file without a manifest, `file-release.ts`
 * creates a release in which some fields are unknown.
 */
export interface Release {
  readonly project?: string | undefined;
  readonly version?: string | undefined;
  readonly board?: string | undefined;
  readonly image: ReleaseImage;
  /** Fingerprints of the RSA public keys in the image. */
  readonly embeddedKeys: readonly string[];
  /** Proof that a device running the image verifies updates. `disproved`: the ELF shows that the Updater does not verify signatures. */
  readonly enforcement: Manifest['enforcement'] | 'disproved';
  readonly signing: {
    readonly publicKey?: { readonly fingerprint: string; readonly bits: number } | undefined;
    /** Key that signed the artifacts of a hop. The image contains `publicKey`. */
    readonly previousKey?: { readonly fingerprint: string } | undefined;
  };
  readonly metadata?: Readonly<Partial<ManifestMetadata> & Pick<ManifestMetadata, 'raw'>> | undefined;
  readonly artifacts: readonly ReleaseArtifact[];
  readonly allowedRules?: readonly Readonly<RuleAllowance>[] | undefined;
}

export interface ReleaseImage
  extends Readonly<
    Pick<
      Manifest['image'],
      | 'core'
      | 'flashMode'
      | 'crcRule'
      | 'flashSizeBytes'
      | 'contentBytes'
      | 'sketchSizeBytes'
      | 'findings'
      | 'layout'
      | 'traces'
      | 'symbols'
      | 'guard'
      | 'filesystem'
    >
  > {
  readonly kind: ImageKind | 'unknown';
  /** Gzip size of a file without a manifest, if the size was measured by compressing the file. */
  readonly gzipBytes?: number | undefined;
}

export interface ReleaseArtifact
  extends Readonly<Pick<Artifact, 'file' | 'sizeBytes' | 'payloadBytes' | 'inflate' | 'metadata' | 'keyFingerprint'>> {
  readonly encoding: Encoding;
  /** Signature format. `unverified`: the artifact is signed, but no available key verifies the signature. */
  readonly signature: 'none' | 'unverified' | SignatureFormat;
}

/** Returns true if the artifact has a signature, verified or unverified. */
export function isSigned({ signature }: Pick<ReleaseArtifact, 'signature'>): boolean {
  return signature !== 'none';
}
