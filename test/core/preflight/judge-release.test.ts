import test from 'ava';
import { judgeRelease } from '../../../src/core/preflight/judge-release.ts';
import { ours, releaseOf, sound } from './case.ts';

const release = { ...releaseOf(sound.raw), artifacts: [sound.raw, sound.gzip, sound.rawSigned] };
const ids = (complaints: readonly { readonly rule: string }[]): readonly string[] => complaints.map(({ rule }) => rule);

test('a sound release has nothing against it', (t) => {
  t.deepEqual(judgeRelease(release, {}), { refused: [], warnings: [] });
});

test('what is wrong with the image is refused once, however many artifacts there are', (t) => {
  const damaged = {
    ...release,
    image: { ...release.image, findings: [{ id: 'crc-mismatch', message: 'the CRC is wrong' }] },
  };
  t.deepEqual(ids(judgeRelease(damaged, {}).refused), ['corrupt-image']);
  t.deepEqual(ids(judgeRelease(damaged, { allow: new Set(['corrupt-image']) }).refused), []);
});

test('what is wrong with one artifact is a warning: others can be sent', (t) => {
  const { refused, warnings } = judgeRelease({ ...release, embeddedKeys: [] }, {});
  t.deepEqual(ids(refused), []);
  t.deepEqual(ids(warnings), ['embedded-key-missing']);
});

test('publishing without a proof of enforcement is refused', (t) => {
  const signing = { publicKey: { fingerprint: ours, bits: 2048 } };
  const unproven = { ...release, signing, enforcement: 'unproven' } as const;
  t.deepEqual(ids(judgeRelease(unproven, {}).warnings), ['enforcement-unproven']);
  t.deepEqual(ids(judgeRelease(unproven, { publishing: true }).refused), ['enforcement-unproven']);
});
