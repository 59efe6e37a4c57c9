import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import forge from 'node-forge';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { rsaPems, wrongKinds } from '../../support/key-pairs.ts';

const { privatePem, publicPem } = rsaPems();

test('reads the same public key from SubjectPublicKeyInfo, PKCS#1 and a certificate', (t) => {
  const key = readPublicKey(publicPem, 'public.key');
  const pkcs1 = createPublicKey(publicPem).export({ type: 'pkcs1', format: 'pem' }).toString();
  for (const text of [
    pkcs1,
    certificate(),
    publicPem.replaceAll('\n', '\r\n'),
    publicPem.trimEnd(),
    Buffer.from(publicPem),
  ]) {
    const other = readPublicKey(text, 'public.key');
    t.is(other.fingerprint, key.fingerprint);
    t.is(other.pem, publicPem);
    t.deepEqual(other.modulus, key.modulus);
  }
});

test('returns the size, fingerprint and modulus of a public key', (t) => {
  const { keyObject, bits, fingerprint, modulus } = readPublicKey(publicPem, 'public.key');
  t.is(bits, 1024);
  t.is(
    fingerprint,
    createHash('sha256')
      .update(keyObject.export({ type: 'spki', format: 'der' }))
      .digest('hex'),
  );
  t.is(modulus.length, 128);
  t.true((modulus[0] ?? 0) >= 0x80);
  const n = forge.pki.publicKeyFromPem(publicPem).n.toString(16);
  t.is(Buffer.from(modulus).toString('hex'), n);
});

test('accepts keys of 1024 or more bits, including sizes that are not a multiple of 8', (t) => {
  for (const bits of [1024, 1025, 1032, 1279, 1536, 2048]) {
    const key = readPublicKey(rsaPems(bits).publicPem, 'public.key');
    t.is(key.bits, bits);
    t.is(key.modulus.length, Math.ceil(bits / 8));
  }
});

test('rejects a private key, which would be published with the firmware', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const encrypted = privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
  const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  for (const text of [privatePem, encrypted, pkcs1, publicPem + privatePem]) {
    const error = await expectOtaError(t, 'KEY_IS_PRIVATE', () => readPublicKey(text, 'public.key'));
    t.is(error.exitCode, 1);
  }
});

test('distinguishes an empty public key file from malformed and truncated keys', async (t) => {
  await expectOtaError(t, 'KEY_EMPTY', () => readPublicKey('\n', 'public.key'));
  for (const text of [publicPem.slice(0, 100), publicPem.replace('MIG', '!!!')]) {
    await expectOtaError(t, 'KEY_GARBLED', () => readPublicKey(text, 'public.key'));
  }
});

test('rejects a public key of any type except RSA', async (t) => {
  for (const [kind, pair] of Object.entries(wrongKinds())) {
    const error = await expectOtaError(t, 'KEY_WRONG_TYPE', () => readPublicKey(pair.publicPem, 'public.key'));
    t.true(error.message.startsWith(`public.key is a key of type ${kind}: only RSA keys are supported`), error.message);
  }
});

test('rejects a public key that is too small or too large for a device and reports its size', async (t) => {
  const huge = forge.pki.publicKeyToPem(
    forge.pki.setRsaPublicKey(oddNumberOfBits(4097), new forge.jsbn.BigInteger('65537')),
  );
  for (const [bits, pem] of [
    [512, rsaPems(512).publicPem],
    [4097, huge],
  ] as const) {
    const error = await expectOtaError(t, 'KEY_WRONG_SIZE', () => readPublicKey(pem, 'public.key'));
    t.is(error.message, `public.key is an RSA key of ${bits} bits: only 1024 to 4096 bits are supported`);
  }
});

/** Returns an odd number of this size. Any odd number can serve as a modulus, because a public key is read without its factors. */
function oddNumberOfBits(bits: number): forge.jsbn.BigInteger {
  return new forge.jsbn.BigInteger('1').shiftLeft(bits - 1).add(new forge.jsbn.BigInteger('1'));
}

function certificate(): string {
  const made = forge.pki.createCertificate();
  made.publicKey = forge.pki.publicKeyFromPem(publicPem);
  made.serialNumber = '01';
  made.validity.notBefore = new Date('2020-01-01');
  made.validity.notAfter = new Date('2040-01-01');
  made.setSubject([{ name: 'commonName', value: 'door' }]);
  made.setIssuer([{ name: 'commonName', value: 'door' }]);
  made.sign(forge.pki.privateKeyFromPem(privatePem), forge.md.sha256.create());
  return forge.pki.certificateToPem(made);
}
