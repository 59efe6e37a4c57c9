import { OtaError } from '../../errors/ota-error.ts';

/** URL for records or blobs, such as `sqlite:/var/lib/ota-hooks/ota.db`. */
export interface StorageUrl<Scheme extends string = string> {
  readonly scheme: Scheme;
  readonly url: string;
  /** Part after the scheme, for schemes that refer to a file or folder. The part is not percent-decoded. */
  readonly path: string;
}

/**
 * Parses a URL for records or blobs.
 *
 * @param openers openers by scheme
 * @throws OtaError STORAGE_URL_UNKNOWN if there is no opener for the URL's scheme
 */
export function parseStorageUrl<Scheme extends string>(
  what: 'store' | 'blobs',
  url: string,
  openers: Readonly<Record<Scheme, unknown>>,
): StorageUrl<Scheme> {
  // The type assertion is safe: the type of `Object.keys` does not preserve the keys.
  const known = Object.keys(openers) as Scheme[];
  // `sqlite:///data/ota.db` has an empty authority and refers to the same file as `sqlite:/data/ota.db`.
  const [, found, path] = /^([a-z][a-z0-9+.-]*):(?:\/\/(?=\/))?(.+)$/is.exec(url) ?? [];
  const scheme = known.find((each) => each === found?.toLowerCase());
  if (scheme === undefined || path === undefined) {
    throw new OtaError('STORAGE_URL_UNKNOWN', { what, scheme: found, known });
  }
  return { scheme, url, path };
}
