import { gunzipSync } from 'fflate';
import { alignGzip } from '../compression/alignment.ts';
import { looksLikeGzip, readGzipHeader } from '../firmware/gzip-header.ts';
import type { Encoding, SignatureFormat } from '../model/artifact.ts';

/** Returns `gzip` for a gzip header that eboot can read, otherwise `identity`: the magic bytes alone are not sufficient. */
export function encodingOf(bytes: Uint8Array): Encoding {
  return looksLikeGzip(bytes) && readGzipHeader(bytes, 0).header !== undefined ? 'gzip' : 'identity';
}

/**
 * Returns the bytes to sign. A gzip is aligned first, since one made by the build system may not be. A legacy signature is always that of
 * the raw image, since no device that checks legacy signatures can inflate.
 */
export function payloadFor(format: SignatureFormat, bytes: Uint8Array, encoding: Encoding): Uint8Array {
  if (encoding === 'identity') return bytes;
  return format === 'legacy' ? gunzipSync(bytes) : alignGzip(bytes);
}
