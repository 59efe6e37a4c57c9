/** Irregularity in a file. Readers report findings instead of throwing on invalid bytes. Rules and messages refer to a finding by its ID. */
export interface Finding {
  readonly id: FindingId;
  /** Message with the relevant numbers, without a final period. */
  readonly message: string;
  /** Position in the bytes that were read: in the content for images and keys, in the file for gzip and the signature trailer. */
  readonly offset?: number | undefined;
}

/** IDs of all findings. */
export type FindingId =
  | 'empty-file'
  | 'unknown-content'
  | 'foreign-image'
  // image headers and segments
  | 'eboot-header-truncated'
  | 'application-missing'
  | 'application-header-truncated'
  | 'no-segments'
  | 'segment-header-truncated'
  | 'segment-past-end'
  | 'segment-misplaced'
  | 'segment-address-unknown'
  | 'eboot-too-large'
  | 'image-truncated'
  | 'flash-mode-unknown'
  | 'flash-mode-erased'
  | 'flash-size-unknown'
  | 'flash-frequency-unknown'
  | 'flash-header-differs'
  | 'flash-header-patched'
  | 'entry-outside-segments'
  // checksums
  | 'checksum-mismatch'
  | 'eboot-checksum-mismatch'
  | 'crc-size-mismatch'
  | 'crc-mismatch'
  // data after the image, which devices ignore
  | 'data-after-image'
  // gzip
  | 'gzip-header-truncated'
  | 'gzip-method-unknown'
  | 'gzip-reserved-flags'
  | 'gzip-header-crc-mismatch'
  | 'gzip-corrupt'
  | 'gzip-truncated'
  | 'gzip-too-large'
  | 'gzip-crc-mismatch'
  | 'gzip-size-mismatch'
  | 'gzip-second-member'
  | 'data-after-gzip'
  | 'gzip-nested'
  // signature
  | 'signature-unverified'
  | 'signature-length-implausible'
  // keys
  | 'embedded-key-not-rsa'
  | 'embedded-private-key'
  | 'embedded-keys-not-all-read'
  // filesystems
  | 'filesystem-superblock-invalid'
  | 'filesystem-size-mismatch'
  | 'filesystem-truncated'
  | 'filesystem-erased';

/** Result of a reader: a value and the findings. */
export interface Reading<Value> {
  readonly value: Value;
  readonly findings: readonly Finding[];
}
