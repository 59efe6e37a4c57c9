import test from 'ava';
import fc from 'fast-check';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { makeKeyPair, signFile, withTrailer } from '../../support/signed-file.ts';

const owner = makeKeyPair();
const stranger = makeKeyPair();
const payload = Buffer.alloc(1000, 'payload');
const refusal = { accepted: false, error: 'ERROR[12]: Signature verification failed' } as const;

for (const format of ['current', 'legacy'] as const) {
  test(`accepts a ${format} signature only with the matching key and format`, (t) => {
    const signed = signFile(payload, owner.privateKey, format);
    t.deepEqual(deviceVerdict(signed, owner.publicKey, format), { accepted: true });
    t.deepEqual(deviceVerdict(signed, stranger.publicKey, format), refusal);
    t.deepEqual(deviceVerdict(signed, owner.publicKey, format === 'current' ? 'legacy' : 'current'), refusal);
  });

  test(`rejects a file with a ${format} signature and one flipped bit`, (t) => {
    const signed = signFile(payload, owner.privateKey, format);
    fc.assert(
      fc.property(fc.nat({ max: signed.length * 8 - 1 }), (bit) => {
        const broken = Uint8Array.from(signed);
        broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return !deviceVerdict(broken, owner.publicKey, format).accepted;
      }),
    );
    t.pass();
  });
}

test('rejects a file that is unsigned, truncated or too short, or that has an invalid signature length', (t) => {
  const signed = signFile(payload, owner.privateKey, 'current');
  const hostile = [
    payload,
    signed.subarray(0, -1),
    signed.subarray(1),
    withTrailer(payload, new Uint8Array(128), 0xffffffff),
    withTrailer(payload, new Uint8Array(256), 256),
    withTrailer(new Uint8Array(), new Uint8Array(10), 128),
    Uint8Array.of(128, 0, 0, 0),
    Uint8Array.of(128),
  ];
  for (const bytes of hostile) t.deepEqual(deviceVerdict(bytes, owner.publicKey, 'current'), refusal);
});

test('reports a bad size for an empty file', (t) => {
  t.deepEqual(deviceVerdict(new Uint8Array(), owner.publicKey, 'current'), {
    accepted: false,
    error: 'ERROR[5]: Bad Size Given',
  });
});
