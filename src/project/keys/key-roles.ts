import { OtaError } from '../../errors/ota-error.ts';
import type { KeyEntry, KeyRole } from '../config/keys-schema.ts';

type Roles<Entry> = readonly (Entry & Pick<KeyEntry, 'name' | 'role'>)[];

/**
 * Makes a backup key the signing key. The previous signing key becomes a backup key, so that guarded devices still accept it until it is
 * retired.
 *
 * @throws OtaError KEY_NAME_UNKNOWN, KEY_ROLE
 */
export function withActivated<Entry>(keys: Roles<Entry>, name: string): Roles<Entry> {
  requireRole(keys, name, ['backup']);
  return keys.map((entry) => {
    if (entry.name === name) return { ...entry, role: 'signing' };
    return entry.role === 'signing' ? { ...entry, role: 'backup' } : entry;
  });
}

/**
 * Retires a backup key: builds with the guard no longer contain it.
 *
 * @throws OtaError KEY_NAME_UNKNOWN, KEY_ROLE
 */
export function withRetired<Entry>(keys: Roles<Entry>, name: string): Roles<Entry> {
  requireRole(keys, name, ['backup']);
  return keys.map((entry) => (entry.name === name ? { ...entry, role: 'retired' } : entry));
}

function requireRole<Entry>(keys: Roles<Entry>, name: string, wanted: readonly KeyRole[]): void {
  const found = keys.find((entry) => entry.name === name);
  if (found === undefined) throw new OtaError('KEY_NAME_UNKNOWN', { name, known: keys.map((entry) => entry.name) });
  if (!wanted.includes(found.role)) throw new OtaError('KEY_ROLE', { name, role: found.role });
}
