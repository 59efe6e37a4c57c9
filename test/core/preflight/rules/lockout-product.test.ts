import test from 'ava';
import { productDigest } from '../../../../src/core/firmware/update-metadata.ts';
import { lockOutRules } from '../../../../src/core/preflight/lock-outs.ts';
import { blocks, isSilent, releaseOf, sound } from '../case.ts';
import { guard } from '../guarded.ts';

const [rule] = lockOutRules;
const metadata = { product: 'door', securityVersion: 2, raw: true };
const previous = {
  ...releaseOf(sound.rawSigned, { guard: { ...guard, product: productDigest('door') } }),
  version: '1.0',
  metadata,
};
const renamed = { ...metadata, product: 'gate' };

test('blocks a release whose product differs from the guard of the last release', (t) => {
  blocks(t, rule, { facts: null, previous, release: { metadata: renamed } }, /product is gate.*1\.0 accept only door/);
  const unnamed = { ...metadata, product: undefined };
  blocks(t, rule, { facts: null, previous, release: { metadata: unnamed } }, /product is not set/);
  blocks(
    t,
    rule,
    { facts: null, previous, artifact: sound.gzip, release: { metadata: { ...renamed, raw: false } } },
    /gate/,
  );
  blocks(t, rule, { facts: null, previous, release: {} }, /not set/);
});

test('allows the same product, a renamed product without the guard, and raw artifacts that need no metadata', (t) => {
  isSilent(t, rule, { facts: null, previous, release: { metadata } });
  isSilent(t, rule, { facts: null, release: { metadata: renamed } });
  const plain = { ...releaseOf(sound.rawSigned), metadata };
  isSilent(t, rule, { facts: null, previous: plain, release: { metadata: renamed } });
  const lenient = { ...previous, image: { ...previous.image, guard: { ...guard, require: 'signature' as const } } };
  isSilent(t, rule, { facts: null, previous: lenient, release: { metadata: { ...renamed, raw: false } } });
});
