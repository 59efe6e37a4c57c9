import { resolve } from 'node:path';
import { type Guard, productHash } from '../../core/keys/guard-record.ts';
import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import { OtaError } from '../../errors/ota-error.ts';
import type { KeyEntry } from '../../project/config/keys-schema.ts';
import type { ProjectSettings } from '../../project/config/settings.ts';
import { requireRecorded } from '../../project/keys/recorded-keys.ts';
import type { Io } from '../io.ts';
import { publicKeyAt } from './project-keys.ts';

/**
 * Returns the guard that builds of a project contain: the project's own key first, then the other signing and backup keys.
 *
 * @param own key that the project signs with; undefined for an unsigned project
 * @throws OtaError GUARD_WITHOUT_KEY, KEY_NOT_RECORDED, and errors from reading the keys
 */
export async function projectGuard(
  settings: ProjectSettings,
  own: RsaPublicKey | undefined,
  io: Io,
): Promise<Guard | undefined> {
  const { guard, keys = [] } = settings.config;
  if (guard === undefined) return undefined;
  if (own === undefined) {
    throw new OtaError('GUARD_WITHOUT_KEY', { config: settings.configPath ?? settings.folder });
  }
  const others = keys.filter(({ role, fingerprint }) => role !== 'retired' && fingerprint !== own.fingerprint);
  return {
    keys: [own, ...(await Promise.all(others.map((entry) => recordedKey(entry, settings, io))))],
    product: productHash(guard.product),
    securityVersion: guard.securityVersion ?? 0,
    require: guard.require ?? 'signature',
  };
}

/** Loads a key of the list. A key that was replaced would lock devices out. */
function recordedKey(entry: KeyEntry, { folder, configPath }: ProjectSettings, io: Io): Promise<RsaPublicKey> {
  const { publicKey } = entry;
  const place = typeof publicKey === 'string' ? { path: resolve(folder, publicKey) } : { variable: publicKey.env };
  const name = 'path' in place ? place.path : `$${place.variable}`;
  const recorded = { config: configPath ?? folder, keys: [entry] };
  return requireRecorded(
    () => publicKeyAt(place, io),
    (key) => key,
    name,
    recorded,
  );
}
