import test from 'ava';
import type { GuardFacts } from '../../../src/core/model/device-facts.ts';
import { factsAfter, factsOfBuild } from '../../../src/core/preflight/running.ts';
import { device, ours, releaseOf, sound } from './case.ts';

const build = { ...releaseOf(sound.gzipSigned), signing: { publicKey: { fingerprint: ours, bits: 2048 } } };

test('derives the core, key, layout and sketch size from a build with proven enforcement', (t) => {
  t.like(factsOfBuild(build), {
    core: '3.1.2',
    signing: 'required',
    keyFingerprint: ours,
    fsStart: 0x200000,
    fsEnd: 0x3fa000,
    sketchSizeBytes: 320_000,
  });
});

test('leaves signing unknown for an unproven key and sets it to none for a build without a key', (t) => {
  t.is(factsOfBuild({ ...build, enforcement: 'unproven' }).signing, undefined);
  t.is(factsOfBuild({ ...build, embeddedKeys: [], signing: {} }).signing, 'none');
});

test('takes the guard of an image only with proof from the ELF file', (t) => {
  const guard: GuardFacts = { keys: [ours], product: 'a'.repeat(16), securityVersion: 1, require: 'metadata' };
  const guarded = { ...build, image: { ...build.image, guard } };
  t.is(factsOfBuild({ ...guarded, enforcement: 'elf' }).guard?.securityVersion, 1);
  // The sketch replaces the guard by its own verifier.
  t.is(factsOfBuild({ ...guarded, enforcement: 'declared' }).guard, undefined);
  t.is(factsOfBuild({ ...guarded, enforcement: 'unproven' }).guard, undefined);
});

test('sets the flash mode to that of the image after a gzip update and keeps it after a raw update', (t) => {
  const facts = { ...device, flashMode: 'dout' } as const;
  t.is(factsAfter(facts, build, sound.gzipSigned).flashMode, 'dio');
  t.is(factsAfter(facts, build, sound.rawSigned).flashMode, 'dout');
  t.is(factsAfter({ ...facts, core: '2.4.1' }, build, sound.raw).flashMode, 'dio');
});

test('discards facts that the new sketch may have changed', (t) => {
  const layoutUnknown = { ...build, image: { ...build.image, layout: undefined } };
  const after = factsAfter({ ...device, atomicFs: true }, layoutUnknown, sound.rawSigned);
  t.is(after.fsStart, undefined);
  t.is(after.atomicFs, undefined);
  t.is(after.chipSizeBytes, device.chipSizeBytes);
});

test('keeps all facts after a filesystem update', (t) => {
  t.deepEqual(factsAfter(device, releaseOf(sound.fsRaw), sound.fsRaw), device);
});
