import { resolve } from 'node:path';
import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import type { Release } from '../../core/preflight/release.ts';
import type { ProjectSettings } from '../../project/config/settings.ts';
import { loadPublicKey } from '../../project/keys/key-files.ts';
import type { Io } from '../io.ts';
import { projectKeyAt, publicKeyAt } from './project-keys.ts';

export interface KnownKeyOptions {
  readonly publicKey: readonly string[];
}

/** Loads the public keys passed with `--public-key`. */
export function namedKeys({ publicKey }: KnownKeyOptions, io: Io): Promise<RsaPublicKey[]> {
  return Promise.all(publicKey.map((path) => loadPublicKey(resolve(io.cwd, path))));
}

/** Loads the project's public key, and all other keys that its configuration lists. Does not read the private key. */
export async function projectKeys(settings: ProjectSettings, io: Io): Promise<RsaPublicKey[]> {
  const { config, folder, publicKey } = settings;
  const own = publicKey === undefined ? [] : [await projectKeyAt(publicKey, settings, io)];
  const listed = (config.keys ?? []).filter(({ role }) => role !== 'signing').map((entry) => entry.publicKey);
  const places = [...listed, ...(config.knownKeys ?? [])].map((source) =>
    typeof source === 'string' ? { path: resolve(folder, source) } : { variable: source.env },
  );
  return [...own, ...(await Promise.all(places.map((place) => publicKeyAt(place, io))))];
}

/**
 * Returns a release with the project's public key if the release has no key. A build that was made before the project had keys is not
 * safe for devices that verify signatures.
 */
export async function withProjectKey(release: Release, settings: ProjectSettings, io: Io): Promise<Release> {
  if (release.signing.publicKey !== undefined || settings.publicKey === undefined) return release;
  return { ...release, signing: { publicKey: await projectKeyAt(settings.publicKey, settings, io) } };
}
