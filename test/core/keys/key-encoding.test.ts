/** Key files as editors, shells, CI systems and other programs write them. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import test from 'ava';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { rsaPems, wrongKinds } from '../../support/key-pairs.ts';

const { privatePem, publicPem } = rsaPems();
const [privateKey, publicKey] = [createPrivateKey(privatePem), createPublicKey(publicPem)];
const { fingerprint } = readPublicKey(publicPem, 'public.key');
const passphrase = 'open sesame';
const encrypt = { cipher: 'aes-256-cbc', passphrase } as const;

type Change = (pem: string) => string | Uint8Array;

const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');

/** Changes to PEM text, in files (bytes) and in variables (strings). */
const changes: Readonly<Record<string, Change>> = {
  'with a UTF-8 byte order mark': (pem) => Buffer.from(`\uFEFF${pem}`),
  'with a byte order mark in a variable': (pem) => `\uFEFF${pem}`,
  'in UTF-16 from PowerShell': (pem) => utf16(pem.replaceAll('\n', '\r\n')),
  'in big-endian UTF-16': (pem) => utf16(pem).swap16(),
  'in UTF-16 without a byte order mark': (pem) => Buffer.from(pem, 'utf16le'),
  'with \\n in place of line breaks': (pem) => pem.replaceAll('\n', '\\n'),
  'with \\r\\n in place of line breaks': (pem) => pem.replaceAll('\n', '\\r\\n'),
  'in quotes, with \\n in place of line breaks': (pem) => `"${pem.replaceAll('\n', '\\n')}"`,
  'on one line, with spaces': (pem) => pem.replaceAll('\n', ' '),
  'on one line, without spaces': (pem) => pem.replaceAll('\n', ''),
  'with CRLF and indentation': (pem) => pem.replaceAll('\n', '\r\n    '),
  'after other text': (pem) => `Bag Attributes\n    friendlyName: door\n${pem}`,
};

for (const [what, change] of Object.entries(changes)) {
  test(`readPrivateKey and readPublicKey read PEM ${what}`, (t) => {
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem', ...encrypt }).toString();
    const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'pem', ...encrypt }).toString();
    t.is(readPrivateKey(change(privatePem), 'private.key').publicKey.fingerprint, fingerprint);
    // Without spaces, the headers of an encrypted PKCS#1 key cannot be told apart from its content.
    for (const pem of what.endsWith('without spaces') ? [pkcs8] : [pkcs8, pkcs1]) {
      t.is(readPrivateKey(change(pem), 'private.key', passphrase).publicKey.fingerprint, fingerprint, pem.slice(0, 40));
    }
    for (const type of ['spki', 'pkcs1'] as const) {
      const pem = publicKey.export({ type, format: 'pem' }).toString();
      t.is(readPublicKey(change(pem), 'public.key').fingerprint, fingerprint, type);
    }
  });
}

test('readPrivateKey and readPublicKey read DER', (t) => {
  for (const type of ['pkcs8', 'pkcs1'] as const) {
    t.is(readPrivateKey(privateKey.export({ type, format: 'der' }), 'k').publicKey.fingerprint, fingerprint);
  }
  const encrypted = privateKey.export({ type: 'pkcs8', format: 'der', ...encrypt });
  t.is(readPrivateKey(encrypted, 'k', passphrase).publicKey.fingerprint, fingerprint);
  // Key files are read as one character per byte.
  t.is(readPrivateKey(encrypted.toString('latin1'), 'k', passphrase).publicKey.fingerprint, fingerprint);
  for (const type of ['spki', 'pkcs1'] as const) {
    t.is(readPublicKey(publicKey.export({ type, format: 'der' }), 'k').fingerprint, fingerprint);
  }
});

test('readPrivateKey and readPublicKey report why they reject a DER key', async (t) => {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  const encrypted = privateKey.export({ type: 'pkcs8', format: 'der', ...encrypt });
  const ec = createPrivateKey(wrongKinds().EC.privatePem);
  await expectOtaError(t, 'KEY_IS_PUBLIC', () => readPrivateKey(spki, 'k'));
  await expectOtaError(t, 'KEY_IS_PRIVATE', () => readPublicKey(pkcs8, 'k'));
  await expectOtaError(t, 'KEY_ENCRYPTED', () => readPrivateKey(encrypted, 'k'));
  await expectOtaError(t, 'KEY_PASSPHRASE_WRONG', () => readPrivateKey(encrypted, 'k', 'open barley'));
  await expectOtaError(t, 'KEY_WRONG_TYPE', () => readPrivateKey(ec.export({ type: 'sec1', format: 'der' }), 'k'));
  await expectOtaError(t, 'KEY_GARBLED', () => readPrivateKey(Buffer.from('300402020707', 'hex'), 'k'));
  await expectOtaError(t, 'KEY_GARBLED', () => readPublicKey(Buffer.from('300402020707', 'hex'), 'k'));
  await expectOtaError(t, 'KEY_GARBLED', () => readPrivateKey(pkcs8.subarray(0, 300), 'k'));
});

test('readPublicKey rejects a file with both keys, in every encoding', async (t) => {
  for (const change of Object.values(changes)) {
    await expectOtaError(t, 'KEY_IS_PRIVATE', () => readPublicKey(change(publicPem + privatePem), 'k'));
  }
});

const foreign = {
  'an OpenSSH private key':
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
  'an OpenSSH public key': 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ door',
  'a public key in the format of RFC 4716 (SSH2)':
    '---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2E=\n---- END SSH2 PUBLIC KEY ----\n',
  'a PuTTY private key': 'PuTTY-User-Key-File-3: ssh-rsa\r\nEncryption: none\r\n',
  'a PKCS#12 file': Buffer.from('300c020103300706092a864886f70d', 'hex').subarray(0, 14),
} as const;

for (const [what, content] of Object.entries(foreign)) {
  test(`readPublicKey rejects ${what} with a command that converts it`, async (t) => {
    const error = await expectOtaError(t, 'KEY_FORM_UNSUPPORTED', () => readPublicKey(content, 'my key'));
    t.true(error.message.endsWith(`it is ${what}`), error.message);
    t.regex(error.hint, /^Convert it, and use public\.pem: (?:ssh-keygen|puttygen|openssl) .*"my key"/);
  });
}

test('readPrivateKey reports a public key of another program as a public key', async (t) => {
  for (const what of ['an OpenSSH public key', 'a public key in the format of RFC 4716 (SSH2)'] as const) {
    await expectOtaError(t, 'KEY_IS_PUBLIC', () => readPrivateKey(foreign[what], 'k'));
  }
  await expectOtaError(t, 'KEY_FORM_UNSUPPORTED', () => readPrivateKey(foreign['a PuTTY private key'], 'k'));
});
