import { gunzipSync } from 'fflate';
import { alignGzip } from '../compression/alignment.ts';
import { looksLikeGzip, readGzipHeader } from '../firmware/gzip-header.ts';
import type { Encoding, SignatureFormat } from '../model/artifact.ts';

/** By a gzip header that eboot could read; what merely begins with its magic bytes is taken as it is. */
export function encodingOf(bytes: Uint8Array): Encoding {
  return looksLikeGzip(bytes) && readGzipHeader(bytes, 0).header !== undefined ? 'gzip' : 'identity';
}

/**
 * The bytes that are signed: a gzip is aligned first (one that the build system made may not be), and a legacy signature is always that
 * of the raw image, since no device that checks for one can inflate.
 */
export function payloadFor(format: SignatureFormat, bytes: Uint8Array, encoding: Encoding): Uint8Array {
  if (encoding === 'identity') return bytes;
  return format === 'legacy' ? gunzipSync(bytes) : alignGzip(bytes);
}
