import { OtaError } from '../../errors/ota-error.ts';

/** URL of a store or of blobs, such as `sqlite:/var/lib/ota-hooks/ota.db`. */
export interface StorageUrl<Scheme extends string = string> {
  readonly scheme: Scheme;
  readonly url: string;
  /** Part after the scheme, for schemes that name a file or a folder. It is used as it is, without percent-encoding. */
  readonly path: string;
}

/**
 * Parses the URL of a store or of blobs.
 *
 * @param openers openers by scheme
 * @throws OtaError STORAGE_URL_UNKNOWN if no opener has the scheme of the URL
 */
export function parseStorageUrl<Scheme extends string>(
  what: 'store' | 'blobs',
  url: string,
  openers: Readonly<Record<Scheme, unknown>>,
): StorageUrl<Scheme> {
  // Object.keys does not keep the type of the keys.
  const known = Object.keys(openers) as Scheme[];
  // `sqlite:///data/ota.db` has an empty authority and names the same file as `sqlite:/data/ota.db`.
  const [, found, path] = /^([a-z][a-z0-9+.-]*):(?:\/\/(?=\/))?(.+)$/is.exec(url) ?? [];
  const scheme = known.find((each) => each === found?.toLowerCase());
  if (scheme === undefined || path === undefined) {
    throw new OtaError('STORAGE_URL_UNKNOWN', { what, scheme: found, known });
  }
  return { scheme, url, path };
}
