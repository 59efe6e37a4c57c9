import { resolve } from 'node:path';
import { secretFromEnvironment } from '../../core/model/secret-from-environment.ts';
import {
  type ProjectTrust,
  requirePermission,
  type SecretSpeaker,
  type SecretUse,
} from '../../core/model/secret-policy.ts';
import type { SecretSource } from '../../core/model/secret-source.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { mostSmallFileBytes, readFailure, readFileOrPipe } from '../../files/bounded-read.ts';
import type { UserWords } from './user-words.ts';

/** Secret to read, and who named its source. */
export interface SecretRequest {
  readonly use: SecretUse;
  readonly source: SecretSource;
  readonly speaker: SecretSpeaker;
  /** Name of the secret in errors, such as "the passphrase". */
  readonly purpose: string;
}

/**
 * Reads a secret, if its source may be used.
 *
 * @param folder base folder for a relative file path
 * @throws OtaError SECRET_MISSING, SECRET_RESERVED, SECRET_UNTRUSTED, FILE_UNREADABLE
 */
export async function readSecret(
  { use, source, speaker, purpose }: SecretRequest,
  folder: string,
  env: UserWords['env'],
  trust: ProjectTrust,
): Promise<string> {
  const named = 'env' in source ? source : { file: resolve(folder, source.file) };
  requirePermission({ use, source: named, purpose }, speaker, trust);
  if ('env' in named) return secretFromEnvironment(named.env, env, purpose);
  return readSecretFile(named.file);
}

/**
 * Reads a secret from a file that the user named. One line break at the end does not belong to the secret.
 *
 * @throws OtaError FILE_UNREADABLE
 */
export async function readSecretFile(path: string): Promise<string> {
  try {
    const bytes = await readFileOrPipe(path, { fileBytes: mostSmallFileBytes });
    return bytes.toString('utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new OtaError('FILE_UNREADABLE', { path, reason: readFailure(cause) }, cause);
  }
}
