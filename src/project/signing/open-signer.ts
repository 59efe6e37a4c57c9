import { type RsaPrivateKey, readPrivateKey } from '../../core/keys/private-key.ts';
import { secretFromEnvironment } from '../../core/model/secret-from-environment.ts';
import { keyFileSigner } from '../../core/signing/key-file-signer.ts';
import type { Signer } from '../../core/signing/signer.ts';
import type { KeyPlace } from '../config/settings.ts';
import { keySizeWarnings, loadPrivateKey, privateKeyWarnings } from '../keys/key-files.ts';

/** Location of a private key whose use is permitted, and the passphrase if the key is encrypted. */
export interface SigningConfig {
  readonly privateKey: KeyPlace;
  readonly passphrase?: string | undefined;
}

/** Environment variables, and the key name in warnings. */
export interface SigningEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the key in warnings. */
  readonly keyName: string;
}

/** Signer, and warnings about its key: size, access by other users, tracking by git. */
export interface OpenedSigner {
  readonly signer: Signer;
  readonly warnings: readonly string[];
}

/**
 * Creates the signer specified by a configuration.
 *
 * @throws OtaError SECRET_MISSING, FILE_UNREADABLE, KEY_NOT_FOUND and errors of {@link readPrivateKey}
 */
export async function openSigner(config: SigningConfig, { env, keyName }: SigningEnvironment): Promise<OpenedSigner> {
  const { privateKey, passphrase } = config;
  if ('variable' in privateKey) {
    const { variable } = privateKey;
    const key = readPrivateKey(secretFromEnvironment(variable, env, 'the private key'), variable, passphrase);
    return opened(key, keySizeWarnings(key.publicKey, keyName));
  }
  const key = await loadPrivateKey(privateKey.path, passphrase);
  return opened(key, await privateKeyWarnings(privateKey.path, key.publicKey, keyName));
}

function opened(key: RsaPrivateKey, warnings: readonly string[]): OpenedSigner {
  return { signer: keyFileSigner(key), warnings };
}
