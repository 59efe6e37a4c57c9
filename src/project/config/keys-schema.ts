import * as v from 'valibot';
import { printable, type Same, sha256 } from '../../core/model/fields.ts';
import { type FromEnvironment, fromEnvironment, text } from '../../core/model/secret-source.ts';

/** Path of a key file, or environment variable that contains the key as PEM text. */
export type KeySource = string | FromEnvironment;

/**
 * Role of a recorded key. `signing`: signs builds; a list has exactly one such key. `backup`: devices with the guard accept it too.
 * `retired`: used by earlier builds.
 */
export type KeyRole = 'signing' | 'backup' | 'retired';

/** Entry of the key inventory. The fingerprint detects a public key that was replaced. */
export interface KeyEntry {
  name: string;
  publicKey: KeySource;
  /** SHA-256 of the DER SubjectPublicKeyInfo, lower-case hex. */
  fingerprint: string;
  role: KeyRole;
}

const keyHint = 'must be a path, or {"env": "NAME"}';

/** @internal */
export const keySourceSchema = v.union(
  [
    v.pipe(text, v.regex(/^(?!\s*-----BEGIN )/, `${keyHint}; the configuration must not contain the key itself`)),
    fromEnvironment,
  ],
  keyHint,
);

/** @internal */
export const keyInventorySchema = v.array(
  v.strictObject({
    name: v.pipe(text, printable, v.description('Name of the key in messages.')),
    publicKey: v.pipe(
      keySourceSchema,
      v.description('Public key (PEM): path relative to this file, or {"env": "NAME"}.'),
    ),
    fingerprint: v.pipe(sha256, v.description('SHA-256 of the public key, as `keygen` prints it.')),
    role: v.pipe(
      v.picklist(['signing', 'backup', 'retired'], 'must be signing, backup or retired'),
      v.description(
        'signing: builds use this key, of which there is exactly one. backup: devices with the guard accept it. backup, retired: `verify` and `inspect` recognize it.',
      ),
    ),
  }),
  'must be a list of keys',
);

true satisfies Same<KeyEntry[], v.InferOutput<typeof keyInventorySchema>>;
