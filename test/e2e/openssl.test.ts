/** Compares keys and signatures with the OpenSSL command line, which the core's signing.py calls. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import forge from 'node-forge';
import { keyFileSigner } from '../../src/core/signing/key-file-signer.ts';
import { signImage } from '../../src/core/signing/signed-image.ts';
import { loadPrivateKey, loadPublicKey } from '../../src/project/keys/key-files.ts';
import { expectOtaError } from '../support/expected-error.ts';
import { runCommand } from '../support/run-command.ts';
import { type TestFolder, testFolder } from '../support/test-folder.ts';

const payloadSizes = [0, 1, 4095, 4096, 1024 * 1024];
const passphrase = 'open sesame';

for (const bits of [1024, 2048, 3072, 4096]) {
  test(`RSA-${bits} signatures equal those of openssl byte for byte, and openssl and forge verify them`, async (t) => {
    const folder = await testFolder(t);
    await openssl(folder, 'genrsa', '-out', 'private.key', String(bits));
    await openssl(folder, 'rsa', '-in', 'private.key', '-pubout', '-out', 'public.key');
    for (const size of payloadSizes) await compare(t, folder, Buffer.alloc(size, `firmware of ${size} bytes`));
  });
}

async function compare(t: ExecutionContext, folder: TestFolder, payload: Buffer): Promise<void> {
  await folder.write('payload', payload);
  const { current, legacy } = await signed(folder, payload);
  t.true(current.equals(asFile(payload, await openssl(folder, 'dgst', '-sha256', '-sign', 'private.key', 'payload'))));
  const digest = createHash('sha256').update(payload).digest();
  t.true(legacy.equals(asFile(payload, await opensslWith(digest, folder, 'rsautl', '-sign', '-inkey', 'private.key'))));

  const signature = current.subarray(payload.length, -4);
  await folder.write('signature', signature);
  await openssl(folder, 'dgst', '-sha256', '-verify', 'public.key', '-signature', 'signature', 'payload');
  const key = forge.pki.publicKeyFromPem(await folder.text('public.key'));
  t.true(key.verify(digest.toString('latin1'), signature.toString('latin1'), 'RSASSA-PKCS1-V1_5'));
}

/** Signs with the command line, or with the library if the payload is empty, because the commands reject an empty payload. */
async function signed(folder: TestFolder, payload: Buffer): Promise<{ current: Buffer; legacy: Buffer }> {
  if (payload.length === 0) {
    const signer = keyFileSigner(await loadPrivateKey(folder.at('private.key')));
    const sign = async (format: 'current' | 'legacy') =>
      Buffer.from(await signImage(payload, signer, format, 'payload'));
    return { current: await sign('current'), legacy: await sign('legacy') };
  }
  const argv = ['sign', '--private-key', 'private.key', '--bin', 'payload', '--out', 'current', '--legacy', 'legacy'];
  await runCommand(argv, { cwd: folder.path });
  return { current: await folder.read('current'), legacy: await folder.read('legacy') };
}

function asFile(payload: Uint8Array, signature: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(signature.length);
  return Buffer.concat([payload, signature, length]);
}

test('reads private keys in every format that openssl writes', async (t) => {
  const folder = await testFolder(t);
  const encrypt = ['-passout', `pass:${passphrase}`];
  await openssl(folder, 'genrsa', '-out', 'pkcs8.key', '2048');
  await openssl(folder, 'rsa', '-in', 'pkcs8.key', '-traditional', '-out', 'pkcs1.key');
  await openssl(folder, 'rsa', '-in', 'pkcs8.key', '-traditional', '-aes256', ...encrypt, '-out', 'pkcs1-aes.key');
  await openssl(folder, 'rsa', '-in', 'pkcs8.key', '-traditional', '-des3', ...encrypt, '-out', 'pkcs1-des3.key');
  await openssl(
    folder,
    'pkcs8',
    '-topk8',
    '-in',
    'pkcs8.key',
    '-v2',
    'aes-256-cbc',
    ...encrypt,
    '-out',
    'pkcs8-aes.key',
  );
  await openssl(folder, 'pkcs8', '-topk8', '-in', 'pkcs8.key', '-scrypt', ...encrypt, '-out', 'pkcs8-scrypt.key');
  const { fingerprint } = (await loadPrivateKey(folder.at('pkcs8.key'))).publicKey;
  const names = await folder.list();
  t.is(names.length, 6);
  for (const name of names) {
    const isEncrypted = name.includes('-');
    const key = await loadPrivateKey(folder.at(name), isEncrypted ? passphrase : undefined);
    t.is(key.publicKey.fingerprint, fingerprint, name);
    if (!isEncrypted) continue;
    await expectOtaError(t, 'KEY_ENCRYPTED', () => loadPrivateKey(folder.at(name)));
    await expectOtaError(t, 'KEY_PASSPHRASE_WRONG', () => loadPrivateKey(folder.at(name), 'hunter2'));
  }
});

test('reads public keys in every format that openssl writes, with the fingerprint of their DER form', async (t) => {
  const folder = await testFolder(t);
  await openssl(folder, 'genrsa', '-out', 'private.key', '2048');
  await openssl(folder, 'rsa', '-in', 'private.key', '-pubout', '-out', 'spki.key');
  await openssl(folder, 'rsa', '-in', 'private.key', '-RSAPublicKey_out', '-out', 'pkcs1.key');
  await openssl(folder, 'req', '-x509', '-key', 'private.key', '-subj', '/CN=door', '-out', 'certificate.pem');
  const der = await openssl(folder, 'rsa', '-pubin', '-in', 'spki.key', '-outform', 'DER');
  const fingerprint = createHash('sha256').update(der).digest('hex');
  for (const name of ['spki.key', 'pkcs1.key', 'certificate.pem']) {
    const key = await loadPublicKey(folder.at(name));
    t.is(key.fingerprint, fingerprint, name);
    t.is(key.pem, await folder.text('spki.key'), name);
  }
});

test('openssl accepts the private key from keygen and derives the same public key', async (t) => {
  const folder = await testFolder(t);
  await runCommand(['keygen'], { cwd: folder.path });
  const check = await openssl(folder, 'rsa', '-in', 'private.key', '-check', '-noout');
  t.is(check.toString().trim(), 'RSA key ok');
  const derived = await openssl(folder, 'rsa', '-in', 'private.key', '-pubout');
  t.is(derived.toString(), await folder.text('public.key'));
});

test('rejects EC, Ed25519 and RSA-PSS keys, and names their type', async (t) => {
  const folder = await testFolder(t);
  await openssl(folder, 'ecparam', '-name', 'prime256v1', '-genkey', '-out', 'EC');
  await openssl(folder, 'genpkey', '-algorithm', 'ED25519', '-out', 'ED25519');
  await openssl(folder, 'genpkey', '-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', 'RSA-PSS');
  for (const kind of ['EC', 'ED25519', 'RSA-PSS']) {
    const error = await expectOtaError(t, 'KEY_WRONG_TYPE', () => loadPrivateKey(folder.at(kind)));
    t.true(error.message.includes(`is a key of type ${kind}: only RSA keys are supported`), error.message);
    await openssl(folder, 'pkey', '-in', kind, '-pubout', '-out', `${kind}.pub`);
    await expectOtaError(t, 'KEY_WRONG_TYPE', () => loadPublicKey(folder.at(`${kind}.pub`)));
  }
});

test('reads an openssl key with Windows line endings', async (t) => {
  const folder = await testFolder(t);
  await openssl(folder, 'genrsa', '-traditional', '-out', 'private.key', '1024');
  const { fingerprint } = (await loadPrivateKey(folder.at('private.key'))).publicKey;
  await writeFile(folder.at('windows.key'), (await folder.text('private.key')).replaceAll('\n', '\r\n'));
  t.is((await loadPrivateKey(folder.at('windows.key'))).publicKey.fingerprint, fingerprint);
});

async function openssl(folder: TestFolder, ...argv: string[]): Promise<Buffer> {
  return opensslWith(new Uint8Array(0), folder, ...argv);
}

/** Runs openssl in the folder and returns its stdout. */
async function opensslWith(input: Uint8Array, folder: TestFolder, ...argv: string[]): Promise<Buffer> {
  const { stdout } = await execa('openssl', argv, {
    cwd: folder.path,
    input,
    encoding: 'buffer',
    stripFinalNewline: false,
  });
  return Buffer.from(stdout);
}
