import { resolve } from 'node:path';
import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import { OtaError } from '../../errors/ota-error.ts';
import type { KeyEntry } from '../../project/config/keys-schema.ts';
import type { KeyPlace, ProjectSettings } from '../../project/config/settings.ts';
import { type RecordedKeys, requireRecorded } from '../../project/keys/recorded-keys.ts';
import type { Io } from '../io.ts';
import { publicKeyAt } from './project-keys.ts';

/**
 * Returns the entry of a key in the configuration.
 *
 * @throws OtaError KEY_NAME_UNKNOWN
 */
export function namedEntry(name: string, settings: ProjectSettings): KeyEntry {
  const { keys = [] } = settings.config;
  const entry = keys.find((each) => each.name === name);
  if (entry !== undefined) return entry;
  throw new OtaError('KEY_NAME_UNKNOWN', { name, known: keys.map((each) => each.name) });
}

/**
 * Loads a key of the list. A key that was replaced would lock devices out.
 *
 * @throws OtaError KEY_NOT_RECORDED, and errors from reading the key
 */
export function recordedKey(entry: KeyEntry, settings: ProjectSettings, io: Io): Promise<RsaPublicKey> {
  const place = placeOf(entry, settings);
  const name = 'path' in place ? place.path : `$${place.variable}`;
  return requireRecorded(
    () => publicKeyAt(place, io),
    (key) => key,
    name,
    recordedKeysOf(settings, [entry]),
  );
}

/** Returns the place of the public key of an entry. */
export function placeOf({ publicKey }: KeyEntry, { folder }: ProjectSettings): KeyPlace {
  return typeof publicKey === 'string' ? { path: resolve(folder, publicKey) } : { variable: publicKey.env };
}

/** Returns keys of the configuration as the only ones that may be used. */
export function recordedKeysOf({ configPath, folder }: ProjectSettings, keys: readonly KeyEntry[]): RecordedKeys {
  return { config: configPath ?? folder, keys };
}
