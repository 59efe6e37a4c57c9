import { createPrivateKey } from 'node:crypto';
import test from 'ava';
import { generateRsaKeyPair } from '../../../src/core/keys/generate.ts';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { expectOtaError } from '../../support/expected-error.ts';

test('generates a matching key pair with the requested size and the exponent 65537', async (t) => {
  for (const bits of [1024, 2048]) {
    const pair = await generateRsaKeyPair(bits);
    const publicKey = readPublicKey(pair.publicKey, 'public.key');
    t.is(publicKey.bits, bits);
    t.is(readPrivateKey(pair.privateKey, 'private.key').publicKey.fingerprint, publicKey.fingerprint);
    t.is(createPrivateKey(pair.privateKey).asymmetricKeyDetails?.publicExponent, 65537n);
  }
});

test('generates a different key pair each time, in PKCS#8 and SubjectPublicKeyInfo format', async (t) => {
  const [one, two] = await Promise.all([generateRsaKeyPair(1024), generateRsaKeyPair(1024)]);
  t.regex(one.privateKey, /^-----BEGIN PRIVATE KEY-----\n/);
  t.regex(one.publicKey, /^-----BEGIN PUBLIC KEY-----\n/);
  t.not(one.privateKey, two.privateKey);
});

test('rejects key sizes that no device supports', async (t) => {
  for (const bits of [0, 512, 1023, 4097, 8192, 2048.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    const error = await expectOtaError(t, 'OPTION_INVALID', () => generateRsaKeyPair(bits));
    t.is(error.message, `--bits ${bits}: must be an integer from 1024 to 4096`);
  }
});
