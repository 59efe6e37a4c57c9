import { dirname, relative } from 'node:path';
import { guardRecord, productHash } from '../../../core/keys/guard-record.ts';
import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import { printableText } from '../../../core/model/unprintable.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import { readOptionalFile } from '../../../files/read.ts';
import { relativePath } from '../../../files/relative-path.ts';
import { writeAtomically } from '../../../files/write.ts';
import { withKeys } from '../../../project/config/edit-keys.ts';
import type { ProjectSettings } from '../../../project/config/settings.ts';
import type { KeyEntry } from '../../../project/config/types.ts';
import type { Io } from '../../io.ts';
import { recordedKey } from '../../shared/key-list.ts';
import { projectKeyAt } from '../../shared/project-keys.ts';

/** Name of the key that a configuration names in its short form, `publicKey`, or not at all. */
const shortFormName = 'main';

/** Returns the keys of a project: the list, and the key of the short form as its signing key. */
export async function keysOf(settings: ProjectSettings, io: Io): Promise<readonly KeyEntry[]> {
  const { keys = [] } = settings.config;
  if (keys.some(({ role }) => role === 'signing') || settings.publicKey === undefined) return keys;
  const { fingerprint } = await projectKeyAt(settings.publicKey, settings, io);
  const place = settings.publicKey;
  const publicKey = 'path' in place ? relativePath(settings.folder, place.path) : { env: place.variable };
  return [{ name: shortFormName, publicKey, fingerprint, role: 'signing' }, ...keys];
}

/**
 * Returns the list with another key: a backup key, or the signing key of a project without one.
 *
 * @throws OtaError KEY_NAME_TAKEN, OPTION_INVALID, GUARD_KEYS
 */
export async function withKey(
  keys: readonly KeyEntry[],
  name: string,
  added: { readonly path: string; readonly key: RsaPublicKey },
  settings: ProjectSettings,
  io: Io,
): Promise<readonly KeyEntry[]> {
  const { path, key } = added;
  requireNewKeyName(keys, name);
  const same = keys.find(({ fingerprint }) => fingerprint === key.fingerprint);
  if (same !== undefined) throw new OtaError('KEY_NAME_TAKEN', { name, problem: `it is the same key as ${same.name}` });
  const role = keys.some((entry) => entry.role === 'signing') ? 'backup' : 'signing';
  const publicKey = relativePath(settings.folder, path);
  const entry: KeyEntry = { name, publicKey, fingerprint: key.fingerprint, role };
  const { guard } = settings.config;
  if (guard !== undefined) {
    const used = keys.filter((each) => each.role !== 'retired');
    const others = await Promise.all(used.map((each) => recordedKey(each, settings, io)));
    guardRecord({
      keys: [...others, key],
      product: productHash(guard.product),
      securityVersion: 0,
      require: 'signature',
    });
  }
  return [...keys, entry];
}

/** @throws OtaError KEY_NAME_TAKEN, OPTION_INVALID */
export function requireNewKeyName(keys: readonly KeyEntry[], name: string): void {
  if (name.trim() === '' || !printableText.test(name)) {
    throw new OtaError('OPTION_INVALID', { option: 'name', value: name, expected: 'must be printable text' });
  }
  if (keys.every((entry) => entry.name !== name)) return;
  throw new OtaError('KEY_NAME_TAKEN', { name, problem: 'the configuration already has a key with this name' });
}

/** Configuration whose list of keys can be changed. */
export interface EditableConfig {
  readonly path: string;
  /** Writes the list. */
  write(keys: readonly KeyEntry[]): Promise<void>;
}

/**
 * Opens the configuration of a project for a change of its keys.
 *
 * @throws OtaError CONFIG_NOT_FOUND without a configuration, KEYS_NOT_WRITTEN if it is not JSON
 */
export async function editableConfig({ configPath, source }: ProjectSettings): Promise<EditableConfig> {
  const bytes = configPath === undefined ? undefined : await readOptionalFile(configPath);
  if (configPath === undefined || bytes === undefined) throw new OtaError('KEYS_NO_CONFIG', { folder: source });
  const text = Buffer.from(bytes).toString('utf8');
  const edited = (keys: readonly KeyEntry[]) => {
    const result = withKeys(text, keys);
    if (result !== undefined) return result;
    throw new OtaError('KEYS_NOT_WRITTEN', { config: configPath, keys: JSON.stringify(keys) });
  };
  return {
    path: configPath,
    async write(keys) {
      await writeAtomically(configPath, edited(keys));
    },
  };
}

/** Returns true if a path is in the folder of the project. */
export function isInProject(path: string, { folder, configPath }: ProjectSettings): boolean {
  const inside = relative(configPath === undefined ? folder : dirname(configPath), path);
  return inside !== '' && !/^\.\.(?:[\\/]|$)/.test(inside) && !/^(?:[A-Za-z]:|[\\/])/.test(inside);
}
