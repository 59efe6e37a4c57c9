/** DER of `DigestInfo` for SHA-256 up to the digest (RFC 8017, section 9.2, note 1). */
const sha256Prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** Returns the DigestInfo of a SHA-256 digest: 51 bytes, which PKCS#1 v1.5 pads and signs. */
export function digestInfoOf(digest: Uint8Array): Buffer {
  return Buffer.concat([sha256Prefix, digest]);
}
