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

test('PKCS#1 and PKCS#8 are read, encrypted or not, and the public half is derived', (t) => {
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const plain = key.export({ type, format: 'pem' }).toString();
    const encrypted = key.export({ type, format: 'pem', cipher, passphrase }).toString();
    t.is(readPrivateKey(plain, 'private.key').publicKey.fingerprint, fingerprint);
    t.is(readPrivateKey(Buffer.from(plain), 'private.key').publicKey.fingerprint, fingerprint);
    t.is(readPrivateKey(encrypted, 'private.key', passphrase).publicKey.fingerprint, fingerprint);
    t.is(readPrivateKey(plain, 'private.key', passphrase).publicKey.fingerprint, fingerprint);
  }
});

test('lines that end as on Windows, and words around the key, do no harm', (t) => {
  const text = `Bag Attributes\r\n    friendlyName: door\r\n${privatePem.replaceAll('\n', '\r\n')}\r\n`;
  t.is(readPrivateKey(text, 'private.key').publicKey.fingerprint, fingerprint);
});

test('an encrypted key without a passphrase says how to give one, since a hook cannot ask', async (t) => {
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const encrypted = key.export({ type, format: 'pem', cipher, passphrase }).toString();
    const error = await expectOtaError(t, 'KEY_ENCRYPTED', () => readPrivateKey(encrypted, 'private.key'));
    t.is(error.exitCode, 1);
    t.regex(error.hint, /--passphrase-env NAME/);
  }
});

test('a wrong passphrase is told from none, and is not repeated', async (t) => {
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

test('an empty file is called empty', async (t) => {
  for (const text of ['', ' \n\t\r\n']) await expectOtaError(t, 'KEY_EMPTY', () => readPrivateKey(text, 'private.key'));
});

test('a public key in the place of the private one is named as what it is', async (t) => {
  const pkcs1 = readPublicKey(publicPem, '').keyObject.export({ type: 'pkcs1', format: 'pem' }).toString();
  for (const text of [publicPem, pkcs1]) {
    const error = await expectOtaError(t, 'KEY_IS_PUBLIC', () => readPrivateKey(text, 'public.key'));
    t.is(error.message, 'public.key is a public key where a private key is wanted');
  }
});

test('garbage is called no key, and never repeated', async (t) => {
  const lines = privatePem.split('\n');
  const secret = lines[3] ?? '';
  const garbled = {
    words: 'not a key',
    binary: Buffer.from([0x30, 0x82, 0x00, 0xff]),
    'one line lost': lines.filter((_, index) => index !== 2).join('\n'),
    'cut off': privatePem.slice(0, privatePem.length / 2),
    'only the frame': '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n',
    'a key of ssh':
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
  };
  for (const [what, text] of Object.entries(garbled)) {
    const error = await expectOtaError(t, 'KEY_GARBLED', () => readPrivateKey(text, 'private.key'));
    t.false(`${error.message}${error.hint}`.includes(secret), what);
  }
});

test('keys that are not RSA are refused by their kind; for EC the reason is told', async (t) => {
  for (const [kind, pair] of Object.entries(wrongKinds())) {
    const error = await expectOtaError(t, 'KEY_WRONG_TYPE', () => readPrivateKey(pair.privatePem, 'private.key'));
    t.true(error.message.startsWith(`private.key is of type ${kind}; only RSA keys work`), error.message);
    if (kind === 'EC') t.regex(error.message, /could never be updated again/);
  }
});

test('an EC key in its own older form, and an encrypted one, are refused for what they are', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sec1 = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const encrypted = privateKey.export({ type: 'pkcs8', format: 'pem', cipher, passphrase }).toString();
  await expectOtaError(t, 'KEY_WRONG_TYPE', () => readPrivateKey(sec1, 'private.key'));
  await expectOtaError(t, 'KEY_WRONG_TYPE', () => readPrivateKey(encrypted, 'private.key', passphrase));
});

test('keys below 1024 bits are refused with their size', async (t) => {
  const error = await expectOtaError(t, 'KEY_WRONG_SIZE', () => readPrivateKey(rsaPems(512).privatePem, 'private.key'));
  t.is(error.message, 'private.key is an RSA key of 512 bits; 1024 to 4096 work');
});
