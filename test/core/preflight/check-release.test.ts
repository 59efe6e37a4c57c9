import test from 'ava';
import { checkRelease } from '../../../src/core/preflight/check-release.ts';
import { ours, releaseOf, sound } from './case.ts';

const release = { ...releaseOf(sound.raw), artifacts: [sound.raw, sound.gzip, sound.rawSigned] };
const ids = (findings: readonly { readonly rule: string }[]): readonly string[] => findings.map(({ rule }) => rule);

test('returns no findings for a valid release', (t) => {
  t.deepEqual(checkRelease(release, {}), { blockedBy: [], warnings: [] });
});

test('reports an image defect once for any number of artifacts', (t) => {
  const damaged = {
    ...release,
    image: { ...release.image, findings: [{ id: 'crc-mismatch', message: 'the CRC is wrong' }] },
  };
  t.deepEqual(ids(checkRelease(damaged, {}).blockedBy), ['corrupt-image']);
  t.deepEqual(ids(checkRelease(damaged, { allow: new Set(['corrupt-image']) }).blockedBy), []);
});

test('reports a defect in one artifact as a warning if other artifacts can be sent', (t) => {
  const { blockedBy, warnings } = checkRelease({ ...release, embeddedKeys: [] }, {});
  t.deepEqual(ids(blockedBy), []);
  t.deepEqual(ids(warnings), ['embedded-key-missing']);
});

test('blocks publishing without proof of enforcement', (t) => {
  const signing = { publicKey: { fingerprint: ours, bits: 2048 } };
  const unproven = { ...release, signing, enforcement: 'unproven' } as const;
  t.deepEqual(ids(checkRelease(unproven, {}).warnings), ['enforcement-unproven']);
  t.deepEqual(ids(checkRelease(unproven, { publishing: true }).blockedBy), ['enforcement-unproven']);
});
