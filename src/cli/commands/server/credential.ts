import { secretFromEnvironment } from '../../../core/model/secret-from-environment.ts';
import { OtaError } from '../../../errors/ota-error.ts';
import type { Io } from '../../io.ts';

interface CredentialOptions {
  readonly user?: string | undefined;
  readonly passwordEnv?: string | undefined;
}

/**
 * Returns the credential from --user and --password-env, with which devices must authenticate.
 *
 * @returns undefined to leave the credential unchanged, null to remove it
 * @throws OtaError OPTION_MISSING, SECRET_MISSING
 */
export function credentialOf(
  { user, passwordEnv }: CredentialOptions,
  io: Io,
): { user: string; password: string } | null | undefined {
  if (user === undefined && passwordEnv === undefined) return undefined;
  if (user === '') return null;
  if (user === undefined || passwordEnv === undefined) {
    const [subject, wanted] =
      user === undefined ? ['--password-env', '--user NAME'] : ['--user', '--password-env NAME'];
    throw new OtaError('OPTION_MISSING', { subject, wanted });
  }
  return { user, password: secretFromEnvironment(passwordEnv, io.env, 'the device password') };
}
