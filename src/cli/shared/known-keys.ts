import { resolve } from 'node:path';
import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import type { ProjectSettings } from '../../project/config/settings.ts';
import { loadPublicKey } from '../../project/keys/key-files.ts';
import type { Io } from '../io.ts';
import { publicKeyAt } from './project-keys.ts';

export interface KnownKeyOptions {
  readonly publicKey: readonly string[];
}

/** Loads the public keys given on the command line. */
export function namedKeys({ publicKey }: KnownKeyOptions, io: Io): Promise<RsaPublicKey[]> {
  return Promise.all(publicKey.map((path) => loadPublicKey(resolve(io.cwd, path))));
}

/** Loads the project's public key, and the `knownKeys` from the project's configuration. Does not read the private key. */
export async function projectKeys({ config, folder, publicKey }: ProjectSettings, io: Io): Promise<RsaPublicKey[]> {
  const own = publicKey === undefined ? [] : [await publicKeyAt(publicKey, io)];
  const others = await Promise.all((config.knownKeys ?? []).map((path) => loadPublicKey(resolve(folder, path))));
  return [...own, ...others];
}
