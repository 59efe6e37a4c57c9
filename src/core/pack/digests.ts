import { createHash } from 'node:crypto';

/** Computes the size and digests of a file for a manifest. */
export function digests(bytes: Uint8Array): { sizeBytes: number; md5: string; sha256: string } {
  return {
    sizeBytes: bytes.length,
    md5: createHash('md5').update(bytes).digest('hex'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
