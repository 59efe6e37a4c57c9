import { containsPrivateKey } from '../../core/model/credential-text.ts';
import { kindOfVariable, type SourceKind } from '../../core/model/secret-policy.ts';
import type { Config } from './schema.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns true if the configuration enables publishing for this build. */
export function publishesAfterBuild({ publish }: Config, env: Environment): boolean {
  const condition = publish?.afterBuild ?? false;
  if (typeof condition === 'boolean') return condition;
  return !['', '0', 'false'].includes((env[condition.env] ?? '').trim().toLowerCase());
}

const signingKinds: readonly SourceKind[] = ['tool-private-key', 'tool-passphrase', 'passphrase-variable'];

/**
 * Returns the environment for a build without signing secrets. Removes the variables for keys and passphrases, configured or not, and all
 * other variables that contain a private key.
 *
 * @param more names of additional variables to remove
 */
export function withoutKeySecrets(config: Config, env: Environment, more: readonly string[]): Record<string, string> {
  const { privateKey, passphrase } = config;
  const named = new Set(more);
  if (typeof privateKey === 'object') named.add(privateKey.env);
  if (passphrase !== undefined && 'env' in passphrase) named.add(passphrase.env);
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => {
      const [name, value] = entry;
      if (value === undefined || named.has(name) || signingKinds.includes(kindOfVariable(name))) return false;
      return !containsPrivateKey(value);
    }),
  );
}
