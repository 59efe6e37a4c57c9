import { type Guard, productHash } from '../../core/keys/guard-record.ts';
import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import type { GuardFacts } from '../../core/model/device-facts.ts';
import { OtaError } from '../../errors/ota-error.ts';
import type { ProjectSettings } from '../../project/config/settings.ts';
import type { Io } from '../io.ts';
import { recordedKey } from './key-list.ts';

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

/**
 * Checks that a sketch contains the guard of the configuration. A header of an earlier build, or one that did not reach the compiler, would
 * otherwise send devices firmware with other keys or limits than the configuration states.
 *
 * @param found guard in the image, as in its manifest
 * @throws OtaError GUARD_STALE
 */
export function requireGuard(path: string, found: GuardFacts | undefined, expected: Guard): void {
  const facts: Record<keyof GuardFacts, string> = {
    keys: expected.keys.map(({ fingerprint }) => fingerprint).join(', '),
    product: Buffer.from(expected.product).toString('hex'),
    securityVersion: String(expected.securityVersion),
    require: expected.require,
  };
  const built = (name: keyof GuardFacts) => (name === 'keys' ? found?.keys.join(', ') : String(found?.[name]));
  const names = ['keys', 'product', 'securityVersion', 'require'] as const;
  const differences = names.filter((name) => built(name) !== facts[name]);
  if (found === undefined || differences.length > 0)
    throw new OtaError('GUARD_STALE', { path, differences: found ? differences : [] });
}
