/**
 * One thing that is odd about a file. A reader never throws for bytes: whatever is wrong with them has a name here, so
 * that rules and people can speak about it.
 */
export interface Finding {
  readonly id: FindingId;
  /** One sentence, without a full stop at its end, with the numbers in it. */
  readonly message: string;
  /** Where in the bytes that were read: the content for images and keys, the file for gzip and the trailer. */
  readonly offset?: number | undefined;
}

/** Every name that a finding can have. */
export type FindingId =
  | 'empty-file'
  | 'unknown-content'
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
  | 'flash-size-unknown'
  | 'flash-frequency-unknown'
  | 'flash-header-differs'
  | 'flash-header-patched'
  | 'entry-outside-segments'
  // sums
  | 'checksum-mismatch'
  | 'eboot-checksum-mismatch'
  | 'crc-size-mismatch'
  | 'crc-mismatch'
  // what follows the image
  | 'trailing-data'
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

/** What a reader gives back: what it read, and what was odd about it. */
export interface Reading<Value> {
  readonly value: Value;
  readonly findings: readonly Finding[];
}
