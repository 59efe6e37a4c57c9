import { resolve } from 'node:path';
import { secretFromEnvironment } from '../../core/model/secret-from-environment.ts';
import { requireNoOwnSecret, requirePermission, type SecretClaim } from '../../core/model/secret-policy.ts';
import { OtaError } from '../../errors/ota-error.ts';
import { readFailure, readRegularSync } from '../../files/bounded-read.ts';
import type { ProjectSettings } from '../config/settings.ts';
import type { UserWords } from '../config/user-words.ts';
import { versionOfTag } from './source-tag.ts';

/** A version is one short line. */
const longestVersionBytes = 256;

/**
 * Returns the firmware version from the option or the configuration, which may name the tag of the checked-out commit, an environment
 * variable or a file. The version is published, so the variable or file must not contain a secret.
 *
 * @returns undefined if no version is set, or the commit has no tag
 * @throws OtaError SECRET_MISSING, SECRET_RESERVED, SECRET_UNTRUSTED, FILE_UNREADABLE
 */
export function resolveFirmwareVersion(
  option: string | undefined,
  { config: { version }, folder, trust }: Pick<ProjectSettings, 'config' | 'folder' | 'trust'>,
  env: UserWords['env'],
): string | undefined {
  if (option !== undefined || version === undefined) return option;
  if (typeof version === 'string') return version;
  if ('git' in version) return versionOfTag(folder);
  const source = 'env' in version ? version : { file: resolve(folder, version.file) };
  const claim: SecretClaim = { use: 'version', source, purpose: 'the firmware version' };
  requirePermission(claim, 'project', trust);
  const value = 'env' in source ? secretFromEnvironment(source.env, env, claim.purpose) : versionIn(source.file);
  requireNoOwnSecret(value, claim, env);
  return value;
}

function versionIn(path: string): string {
  try {
    return readRegularSync(path, longestVersionBytes)
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .trim();
  } catch (cause) {
    throw new OtaError('FILE_UNREADABLE', { path, reason: readFailure(cause) }, cause);
  }
}
