import { looksLikeGzip } from '../firmware/gzip-header.ts';
import { gzipMetadata, rawMetadata } from '../firmware/update-metadata.ts';
import { findGuard } from '../keys/guard-record.ts';

/**
 * Returns true if a payload has no metadata although the guard requires it: the guard of the image, or that of the project. A device with
 * this guard rejects the payload.
 *
 * @param content the image in the payload, without compression
 * @param require requirement of the project's guard, if the project is known
 */
export function guardNeedsMetadata(
  payload: Uint8Array,
  content: Uint8Array,
  require?: 'signature' | 'metadata' | undefined,
): boolean {
  if (require !== 'metadata' && findGuard(content)?.require !== 'metadata') return false;
  return (looksLikeGzip(payload) ? gzipMetadata(payload) : rawMetadata(payload)) === undefined;
}

/** Warning about a signed file for which {@link guardNeedsMetadata} is true. */
export function withoutMetadataWarning(path: string): string {
  return `${path}: the guard requires metadata, and this file has none: devices that already have the guard reject it; use \`pack\` to sign with metadata`;
}
