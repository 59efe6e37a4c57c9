import { OtaError } from '../../errors/ota-error.ts';

/**
 * Reads a secret from the environment.
 *
 * @param purpose name of the secret for error messages, such as "the passphrase"
 * @throws OtaError SECRET_MISSING
 */
export function secretFromEnvironment(
  variable: string,
  env: Readonly<Record<string, string | undefined>>,
  purpose: string,
): string {
  const value = env[variable];
  if (value === undefined || value === '') throw new OtaError('SECRET_MISSING', { variable, purpose });
  return value;
}
