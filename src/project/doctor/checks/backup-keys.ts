import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isPrivateKeyFile, largestKeyFileBytes, privateKeyInside } from '../../../core/firmware/private-keys.ts';
import type { RsaPublicKey } from '../../../core/keys/public-key.ts';
import { findFiles } from '../../../files/find-files.ts';
import type { ProjectSettings } from '../../config/settings.ts';
import type { KeyEntry } from '../../config/types.ts';
import { loadPublicKey } from '../../keys/key-files.ts';
import type { Check, DoctorFinding } from '../check.ts';
import { settingsOf } from '../context.ts';

/** Warns about private halves of backup keys in the project: a thief of the signing key there would also have the backup. */
export const backupKeys: Check = async (context) => {
  const settings = settingsOf(context);
  if (context.project === undefined || settings === undefined) return [];
  const entries = (settings.config.keys ?? []).filter(({ role }) => role === 'backup');
  if (entries.length === 0) return [];
  const [named, files] = [await readable(entries, settings), await keyFiles(context.project.folder)];
  const findings: DoctorFinding[] = [];
  for (const path of files) {
    const bytes = await readFile(path);
    const found = isPrivateKeyFile(bytes) && named.find(({ key }) => privateKeyInside(bytes, [key]) === 'signing-key');
    if (!found) continue;
    findings.push({
      level: 'warning',
      message: `${context.path(path)} is the private half of the backup key ${found.name}: a thief of the signing key here would also have the backup`,
      fix: 'Move the file to a different place, such as an offline disk',
    });
  }
  return findings;
};

interface NamedKey {
  readonly name: string;
  readonly key: RsaPublicKey;
}

/** Loads the public keys. The check of the keys reports those that cannot be read. */
async function readable(entries: readonly KeyEntry[], { folder }: ProjectSettings): Promise<readonly NamedKey[]> {
  const found = entries.map(async ({ name, publicKey }) => {
    if (typeof publicKey !== 'string') return [];
    const key = await loadPublicKey(resolve(folder, publicKey)).catch(() => undefined);
    return key === undefined ? [] : [{ name, key }];
  });
  return (await Promise.all(found)).flat();
}

/** Returns the files in a project that may be private keys. */
async function keyFiles(folder: string): Promise<readonly string[]> {
  const paths = await findFiles({ patterns: ['**/*.{key,pem,der}'], folder, project: undefined });
  const sizes = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  return paths.filter((_, index) => {
    const file = sizes[index];
    return file?.isFile() === true && file.size <= largestKeyFileBytes;
  });
}
