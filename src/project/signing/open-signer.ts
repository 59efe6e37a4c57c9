import { type RsaPrivateKey, readPrivateKey } from '../../core/keys/private-key.ts';
import { secretFromEnvironment } from '../../core/model/secret-from-environment.ts';
import { keyFileSigner } from '../../core/signing/key-file-signer.ts';
import type { Signer } from '../../core/signing/signer.ts';
import { OtaError } from '../../errors/ota-error.ts';
import type { KeyPlace } from '../config/settings.ts';
import { keySizeWarnings, loadPrivateKey, privateKeyWarnings } from '../keys/key-files.ts';

/** Location of a private key whose use is permitted, and the passphrase if the key is encrypted. */
export interface SigningConfig {
  readonly privateKey: KeyPlace;
  readonly passphrase?: string | undefined;
  /** Prompts for the passphrase of an encrypted key without a configured one. Undefined without a terminal. */
  readonly promptPassphrase?: (() => Promise<string>) | undefined;
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
  const { privateKey } = config;
  if ('variable' in privateKey) {
    const { variable } = privateKey;
    const text = secretFromEnvironment(variable, env, 'the private key');
    const key = await decrypted((passphrase) => readPrivateKey(text, variable, passphrase), config);
    return opened(key, keySizeWarnings(key.publicKey, keyName));
  }
  const key = await decrypted((passphrase) => loadPrivateKey(privateKey.path, passphrase), config);
  return opened(key, await privateKeyWarnings(privateKey.path, key.publicKey, keyName));
}

/** Reads a key. Prompts for the passphrase only after it is known that the key needs one. */
async function decrypted(
  read: (passphrase: string | undefined) => RsaPrivateKey | Promise<RsaPrivateKey>,
  { passphrase, promptPassphrase }: SigningConfig,
): Promise<RsaPrivateKey> {
  try {
    return await read(passphrase);
  } catch (error) {
    const isEncrypted = error instanceof OtaError && error.code === 'KEY_ENCRYPTED';
    if (!isEncrypted || promptPassphrase === undefined) throw error;
    return read(await promptPassphrase());
  }
}

function opened(key: RsaPrivateKey, warnings: readonly string[]): OpenedSigner {
  return { signer: keyFileSigner(key), warnings };
}
