import { createHash } from 'node:crypto';

/** Computes size and digests of the bytes, as manifests contain them. */
export function digests(bytes: Uint8Array): { sizeBytes: number; md5: string; sha256: string } {
  return {
    sizeBytes: bytes.length,
    md5: createHash('md5').update(bytes).digest('hex'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
