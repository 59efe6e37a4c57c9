import { createHash } from 'node:crypto';

/** Size and digests of bytes, as manifests state them. */
export function digests(bytes: Uint8Array): { sizeBytes: number; md5: string; sha256: string } {
  return {
    sizeBytes: bytes.length,
    md5: createHash('md5').update(bytes).digest('hex'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
