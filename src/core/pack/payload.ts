import { gunzipSync } from 'fflate';
import { alignGzip } from '../compression/alignment.ts';
import { looksLikeGzip, readGzipHeader } from '../firmware/gzip-header.ts';
import type { Encoding, SignatureFormat } from '../model/artifact.ts';

/** Returns `gzip` if eboot can read the gzip header, otherwise `identity`. The magic bytes alone are not sufficient. */
export function encodingOf(bytes: Uint8Array): Encoding {
  return looksLikeGzip(bytes) && readGzipHeader(bytes, 0).header !== undefined ? 'gzip' : 'identity';
}

/**
 * Returns the bytes to sign. A gzip file is aligned first, because the build system may have created an unaligned file. A legacy
 * signature always covers the raw image, because no core with legacy signatures can inflate gzip.
 */
export function payloadFor(format: SignatureFormat, bytes: Uint8Array, encoding: Encoding): Uint8Array {
  if (encoding === 'identity') return bytes;
  return format === 'legacy' ? gunzipSync(bytes) : alignGzip(bytes);
}
