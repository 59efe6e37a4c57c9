import test from 'ava';
import { factsAfter, factsOfBuild } from '../../../src/core/preflight/running.ts';
import { device, ours, releaseOf, sound } from './case.ts';

const build = { ...releaseOf(sound.gzipSigned), signing: { publicKey: { fingerprint: ours, bits: 2048 } } };

test('a build whose key is proven tells core, key, layout and size of the device that runs it', (t) => {
  t.like(factsOfBuild(build), {
    core: '3.1.2',
    signing: 'required',
    keyFingerprint: ours,
    fsStart: 0x200000,
    fsEnd: 0x3fa000,
    sketchSizeBytes: 320_000,
  });
});

test('a key without a proof tells nothing of what the device verifies, and no key at all that it verifies nothing', (t) => {
  t.is(factsOfBuild({ ...build, enforcement: 'unproven' }).signing, undefined);
  t.is(factsOfBuild({ ...build, embeddedKeys: [], signing: {} }).signing, 'none');
});

test('after a gzip the flash mode is that of the image, after a raw sketch that of the device', (t) => {
  const facts = { ...device, flashMode: 'dout' } as const;
  t.is(factsAfter(facts, build, sound.gzipSigned).flashMode, 'dio');
  t.is(factsAfter(facts, build, sound.rawSigned).flashMode, 'dout');
  t.is(factsAfter({ ...facts, core: '2.4.1' }, build, sound.raw).flashMode, 'dio');
});

test('what the new sketch may have changed is not known any more', (t) => {
  const layoutUnknown = { ...build, image: { ...build.image, layout: undefined } };
  const after = factsAfter({ ...device, atomicFs: true }, layoutUnknown, sound.rawSigned);
  t.is(after.fsStart, undefined);
  t.is(after.atomicFs, undefined);
  t.is(after.chipSizeBytes, device.chipSizeBytes);
});

test('a filesystem changes nothing', (t) => {
  t.deepEqual(factsAfter(device, releaseOf(sound.fsRaw), sound.fsRaw), device);
});
