import type { RsaPublicKey } from '../../core/keys/public-key.ts';
import { type ErrorCode, OtaError } from '../../errors/ota-error.ts';

/** Signing keys that a configuration records. The first one is the default. */
export interface RecordedKeys {
  /** Path of the configuration. */
  readonly config: string;
  readonly keys: readonly { readonly name: string; readonly fingerprint: string }[];
}

/** Errors for keys that cannot be read or used. Their hints may suggest a new key pair. */
const unusable: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'KEY_NOT_FOUND',
  'KEY_EMPTY',
  'KEY_GARBLED',
  'KEY_WRONG_TYPE',
  'KEY_WRONG_SIZE',
]);

/**
 * Loads a key of a project and requires that its configuration records it. Without recorded keys, any key is valid. Errors about a lost or
 * replaced key never suggest a new pair, because devices with the recorded key accept no other.
 *
 * @param publicKeyOf returns the public key of the pair; undefined if the private key is encrypted
 * @param name name of the key file or variable, for messages
 * @throws OtaError KEY_NOT_RECORDED, and the other errors of `load`
 */
export async function requireRecorded<Key>(
  load: () => Promise<Key>,
  publicKeyOf: (key: Key) => RsaPublicKey | undefined,
  name: string,
  recorded: RecordedKeys | undefined,
): Promise<Key> {
  if (recorded === undefined) return load();
  const reject = (problem: string, cause?: unknown) =>
    new OtaError('KEY_NOT_RECORDED', { ...recorded, problem }, cause);
  const key = await load().catch((error: unknown) => {
    if (error instanceof OtaError && unusable.has(error.code)) throw reject(error.message, error);
    throw error;
  });
  const own = publicKeyOf(key);
  if (own !== undefined && recorded.keys.every(({ fingerprint }) => fingerprint !== own.fingerprint)) {
    throw reject(`${name} is a different key, with the fingerprint ${own.fingerprint}`);
  }
  return key;
}
