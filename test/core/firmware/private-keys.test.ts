import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import test from 'ava';
import { isPrivateKeyFile, privateKeyInside } from '../../../src/core/firmware/private-keys.ts';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { rsaPems } from '../../support/key-pairs.ts';

const pem = rsaPems().privatePem;
const { publicKey } = readPrivateKey(pem, 'a key of the tests');
const other = rsaPems().privatePem;
const around = (secret: string | Uint8Array) =>
  Buffer.concat([Buffer.alloc(1000), Buffer.from(secret), Buffer.alloc(1000)]);

/** Exports a key in each of these formats, as PEM and as DER. */
function formsOf(key: KeyObject, types: readonly ('pkcs1' | 'pkcs8' | 'sec1')[]): Buffer[] {
  return types.flatMap((type) => [
    Buffer.from(key.export({ type, format: 'pem' })),
    Buffer.from(key.export({ type, format: 'der' })),
  ]);
}

test('finds the signing key in PKCS#1 and PKCS#8, as PEM and as DER', (t) => {
  for (const form of formsOf(createPrivateKey(pem), ['pkcs1', 'pkcs8'])) {
    t.is(privateKeyInside(around(form), [publicKey]), 'signing-key');
  }
});

test('finds a PEM signing key with unusual line breaks', (t) => {
  const [crlf, escaped] = [pem.replaceAll('\n', '\r\n'), JSON.stringify({ key: pem })];
  for (const text of [crlf, escaped]) t.is(privateKeyInside(around(text), [publicKey]), 'signing-key');
});

test('finds the signing key after many other PEM markers', (t) => {
  const markers = '-----BEGIN PRIVATE KEY-----\n'.repeat(5000);
  t.is(privateKeyInside(around(markers + pem), [publicKey]), 'signing-key');
  t.is(privateKeyInside(around(markers), [publicKey]), 'other');
});

test('distinguishes other private keys from the signing key and ignores public keys', (t) => {
  t.is(privateKeyInside(around(other), [publicKey]), 'other');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  t.is(privateKeyInside(around(privateKey.export({ type: 'sec1', format: 'pem' })), [publicKey]), 'other');
  t.is(privateKeyInside(around(publicKey.pem), [publicKey]), undefined);
  t.is(privateKeyInside(around(publicKey.keyObject.export({ type: 'pkcs1', format: 'der' })), [publicKey]), undefined);
  t.is(privateKeyInside(around('PRIVATE KEY-----'.repeat(100)), [publicKey]), undefined);
});

test('recognizes an RSA or EC private key file', (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const files = [...formsOf(createPrivateKey(pem), ['pkcs1', 'pkcs8']), ...formsOf(privateKey, ['sec1', 'pkcs8'])];
  for (const file of files) t.true(isPrivateKeyFile(file));
});

test('does not report a public key, an image or a gzip file as a private key', (t) => {
  const der = publicKey.keyObject.export({ type: 'spki', format: 'der' });
  const pkcs1 = publicKey.keyObject.export({ type: 'pkcs1', format: 'der' });
  for (const bytes of [publicKey.pem, der, pkcs1, Buffer.of(0xe9, 1), Buffer.from('1f8b08', 'hex'), Buffer.alloc(0)]) {
    t.false(isPrivateKeyFile(Buffer.from(bytes)));
  }
});

// OpenSSL computes the public key when it parses a DSA key. The computation takes 2 s for 8 KB and hours for 60 KB.
test('recognizes a 60 KB DSA key without parsing it', (t) => {
  const number = (sizeBytes: number) => element(0x02, Buffer.alloc(sizeBytes, 0x7f));
  const parameters = element(0x30, number(15_000), number(15_000), number(15_000));
  const algorithm = element(0x30, Buffer.from('06072a8648ce380401', 'hex'), parameters);
  t.true(isPrivateKeyFile(element(0x30, Buffer.of(2, 1, 0), algorithm, element(0x04, number(15_000)))));
});

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([
    Buffer.of(tag, 0x83, content.length >> 16, (content.length >> 8) & 0xff, content.length & 0xff),
    content,
  ]);
}
