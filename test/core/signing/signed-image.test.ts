import { createPrivateKey, createPublicKey, verify } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import forge from 'node-forge';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { keyFileSigner } from '../../../src/core/signing/key-file-signer.ts';
import { signImage } from '../../../src/core/signing/signed-image.ts';
import type { Signer } from '../../../src/core/signing/signer.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { signFile } from '../../support/signed-file.ts';

function signerOf(pem: string): Signer {
  return keyFileSigner(readPrivateKey(pem, 'private.key'));
}

const pair = rsaPems();
const signer = signerOf(pair.privatePem);
const keyObject = createPrivateKey(pair.privatePem);
const payloads = [0, 1, 4095, 4096, 1024 * 1024].map((length) => Buffer.alloc(length, 'firmware'));

test('a signed image is the payload, the signature, and the signature length as a little-endian word', async (t) => {
  for (const bits of [1024, 1032, 2048]) {
    const payload = Buffer.from('firmware');
    const signed = Buffer.from(await signImage(payload, signerOf(rsaPems(bits).privatePem), 'current', 'door.bin'));
    t.is(signed.length, payload.length + bits / 8 + 4);
    t.deepEqual(signed.subarray(0, payload.length), payload);
    t.is(signed.readUInt32LE(signed.length - 4), bits / 8);
  }
});

test('matches node:crypto signatures in the current and the legacy format', async (t) => {
  for (const payload of payloads) {
    for (const format of ['current', 'legacy'] as const) {
      const signed = await signImage(payload, signer, format, 'door.bin');
      t.true(Buffer.from(signed).equals(signFile(payload, keyObject, format)));
    }
  }
});

test('produces the same signed image each time and does not change the payload', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 100 }),
      fc.constantFrom('current', 'legacy'),
      async (payload, format) => {
        const before = Uint8Array.from(payload);
        const [one, two] = [await signImage(payload, signer, format, ''), await signImage(payload, signer, format, '')];
        t.deepEqual(one, two);
        t.deepEqual(payload, before);
      },
    ),
    { numRuns: 30 },
  );
});

test('a second RSA implementation verifies current signatures', async (t) => {
  const key = forge.pki.publicKeyFromPem(pair.publicPem);
  for (const payload of payloads) {
    const signed = await signImage(payload, signer, 'current', 'door.bin');
    const digest = forge.md.sha256.create().update(payload.toString('latin1')).digest().getBytes();
    t.true(
      key.verify(digest, Buffer.from(signed.subarray(payload.length, -4)).toString('latin1'), 'RSASSA-PKCS1-V1_5'),
    );
  }
});

test('a second RSA implementation finds the bare digest in legacy signatures', async (t) => {
  const key = forge.pki.publicKeyFromPem(pair.publicPem);
  const payload = Buffer.from('firmware');
  const signed = await signImage(payload, signer, 'legacy', 'door.bin');
  const digest = forge.md.sha256.create().update('firmware').digest().getBytes();
  t.true(key.verify(digest, Buffer.from(signed.subarray(payload.length, -4)).toString('latin1'), 'NONE'));
});

test('a device with the key accepts a signed image', async (t) => {
  for (const format of ['current', 'legacy'] as const) {
    const signed = await signImage(Buffer.from('firmware'), signer, format, 'door.bin');
    t.deepEqual(deviceVerdict(signed, signer.publicKey, format), { accepted: true });
  }
});

test('rejects an invalid signature from a signer before writing any file', async (t) => {
  const stranger = signerOf(rsaPems().privatePem);
  const wrong: Record<string, Signer['sign']> = {
    'another key': (payload, format) => stranger.sign(payload, format),
    'another payload': (_, format) => signer.sign(Buffer.from('something else'), format),
    'the other format': (payload, format) => signer.sign(payload, format === 'current' ? 'legacy' : 'current'),
    nothing: async () => new Uint8Array(0),
    'one byte more': async (payload, format) => Buffer.concat([await signer.sign(payload, format), Buffer.of(0)]),
  };
  for (const [what, sign] of Object.entries(wrong)) {
    for (const format of ['current', 'legacy'] as const) {
      const bad: Signer = { publicKey: signer.publicKey, sign };
      const error = await expectOtaError(t, 'SIGNATURE_UNVERIFIED', () =>
        signImage(Buffer.from('firmware'), bad, format, 'door.bin'),
      );
      t.regex(error.message, /^door\.bin was not signed: /, what);
    }
  }
});

test('the signer exposes only the public half of its key', (t) => {
  t.true(createPublicKey(pair.publicPem).equals(signer.publicKey.keyObject));
  t.is(signer.publicKey.keyObject.type, 'public');
  t.notRegex(JSON.stringify(signer), /PRIVATE/);
});

test('signs an empty payload, as OpenSSL does', async (t) => {
  const signed = await signImage(new Uint8Array(0), signer, 'current', 'nothing');
  t.true(verify('sha256', new Uint8Array(0), signer.publicKey.keyObject, signed.subarray(0, -4)));
});
