import test from 'ava';
import fc from 'fast-check';
import { verifySignature } from '../../../src/core/keys/verify.ts';
import { makeKeyPair, signFile } from '../../support/signed-file.ts';

const owner = makeKeyPair();
const stranger = makeKeyPair();
const payload = Buffer.from('payload');
const signatures = {
  current: signFile(payload, owner.privateKey, 'current').subarray(payload.length, -4),
  legacy: signFile(payload, owner.privateKey, 'legacy').subarray(payload.length, -4),
};

for (const format of ['current', 'legacy'] as const) {
  const other = format === 'current' ? 'legacy' : 'current';

  test(`verifies a ${format} signature only with the matching key, payload and format`, (t) => {
    t.true(verifySignature(payload, signatures[format], owner.publicKey, format));
    t.false(verifySignature(payload, signatures[format], stranger.publicKey, format));
    t.false(verifySignature(Buffer.from('Payload'), signatures[format], owner.publicKey, format));
    t.false(verifySignature(payload, signatures[other], owner.publicKey, format));
  });

  test(`returns false for bytes that are not a ${format} signature`, (t) => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        (bytes) => !verifySignature(payload, bytes, owner.publicKey, format),
      ),
    );
    t.false(verifySignature(payload, new Uint8Array(128).fill(0xff), owner.publicKey, format));
    t.false(verifySignature(payload, signatures[format].subarray(1), owner.publicKey, format));
  });
}
