import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import test from 'ava';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { rsaPems, wrongKinds } from '../../support/key-pairs.ts';

const { privatePem, publicPem } = rsaPems();
const key = createPrivateKey(privatePem);
const { fingerprint } = readPublicKey(publicPem, 'public.key');
const passphrase = 'open sesame';
const cipher = 'aes-256-cbc';

test('reads an encrypted or unencrypted private key in PKCS#1 or PKCS#8 and derives the public key', (t) => {
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const plain = key.export({ type, format: 'pem' }).toString();
    const encrypted = key.export({ type, format: 'pem', cipher, passphrase }).toString();
    t.is(readPrivateKey(plain, 'private.key').publicKey.fingerprint, fingerprint);
    t.is(readPrivateKey(Buffer.from(plain), 'private.key').publicKey.fingerprint, fingerprint);
    t.is(readPrivateKey(encrypted, 'private.key', passphrase).publicKey.fingerprint, fingerprint);
    t.is(readPrivateKey(plain, 'private.key', passphrase).publicKey.fingerprint, fingerprint);
  }
});

test('accepts CRLF line endings and text around a private key', (t) => {
  const text = `Bag Attributes\r\n    friendlyName: door\r\n${privatePem.replaceAll('\n', '\r\n')}\r\n`;
  t.is(readPrivateKey(text, 'private.key').publicKey.fingerprint, fingerprint);
});

test('rejects an encrypted key without a passphrase and suggests --passphrase-env', async (t) => {
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const encrypted = key.export({ type, format: 'pem', cipher, passphrase }).toString();
    const error = await expectOtaError(t, 'KEY_ENCRYPTED', () => readPrivateKey(encrypted, 'private.key'));
    t.is(error.exitCode, 1);
    t.regex(error.hint, /--passphrase-env NAME/);
  }
});

test('rejects an incorrect passphrase without including it in the error', async (t) => {
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const encrypted = key.export({ type, format: 'pem', cipher, passphrase }).toString();
    for (const wrong of ['hunter2', '']) {
      const error = await expectOtaError(t, 'KEY_PASSPHRASE_WRONG', () =>
        readPrivateKey(encrypted, 'private.key', wrong),
      );
      t.notRegex(`${error.message}${error.hint}`, /hunter2/);
    }
  }
});

test('reports an empty private key file', async (t) => {
  for (const text of ['', ' \n\t\r\n']) await expectOtaError(t, 'KEY_EMPTY', () => readPrivateKey(text, 'private.key'));
});

test('reports a public key passed as a private key', async (t) => {
  const pkcs1 = readPublicKey(publicPem, '').keyObject.export({ type: 'pkcs1', format: 'pem' }).toString();
  for (const text of [publicPem, pkcs1]) {
    const error = await expectOtaError(t, 'KEY_IS_PUBLIC', () => readPrivateKey(text, 'public.key'));
    t.is(error.message, 'public.key is not a private key: it is a public key');
  }
});

test('rejects a malformed private key without including it in the error', async (t) => {
  const lines = privatePem.split('\n');
  const secret = lines[3] ?? '';
  const garbled = {
    words: 'not a key',
    binary: Buffer.from([0x30, 0x82, 0x00, 0xff]),
    'one line lost': lines.filter((_, index) => index !== 2).join('\n'),
    'cut off': privatePem.slice(0, privatePem.length / 2),
    'only the frame': '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n',
  };
  for (const [what, text] of Object.entries(garbled)) {
    const error = await expectOtaError(t, 'KEY_GARBLED', () => readPrivateKey(text, 'private.key'));
    t.false(`${error.message}${error.hint}`.includes(secret), what);
  }
});

test('rejects a private key that is not RSA and explains why an EC key is not supported', async (t) => {
  for (const [kind, pair] of Object.entries(wrongKinds())) {
    const error = await expectOtaError(t, 'KEY_WRONG_TYPE', () => readPrivateKey(pair.privatePem, 'private.key'));
    t.true(
      error.message.startsWith(`private.key is a key of type ${kind}: only RSA keys are supported`),
      error.message,
    );
    if (kind === 'EC') t.regex(error.message, /could never be updated again/);
  }
});

test('rejects SEC1 keys and encrypted EC keys because of their type', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sec1 = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const encrypted = privateKey.export({ type: 'pkcs8', format: 'pem', cipher, passphrase }).toString();
  await expectOtaError(t, 'KEY_WRONG_TYPE', () => readPrivateKey(sec1, 'private.key'));
  await expectOtaError(t, 'KEY_WRONG_TYPE', () => readPrivateKey(encrypted, 'private.key', passphrase));
});

test('rejects a private key below 1024 bits and reports its size', async (t) => {
  const error = await expectOtaError(t, 'KEY_WRONG_SIZE', () => readPrivateKey(rsaPems(512).privatePem, 'private.key'));
  t.is(error.message, 'private.key is an RSA key of 512 bits: only 1024 to 4096 bits are supported');
});
