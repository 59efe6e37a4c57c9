import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { secretFromEnvironment } from '../../core/model/secret-from-environment.ts';
import type { SecretSource } from '../../core/model/secret-source.ts';
import { OtaError } from '../../errors/ota-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads a secret from the source specified in the configuration.
 *
 * @param purpose name of the secret in errors, such as "the passphrase"
 * @throws OtaError SECRET_MISSING, FILE_UNREADABLE
 */
export async function readSecret(
  source: SecretSource,
  folder: string,
  env: Environment,
  purpose: string,
): Promise<string> {
  if ('env' in source) return secretFromEnvironment(source.env, env, purpose);
  const path = resolve(folder, source.file);
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new OtaError(
      'FILE_UNREADABLE',
      { path, reason: (cause as NodeJS.ErrnoException).code ?? String(cause) },
      cause,
    );
  }
}
