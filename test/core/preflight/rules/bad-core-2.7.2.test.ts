import test from 'ava';
import { badCore272 as rule } from '../../../../src/core/preflight/rules/bad-core-2.7.2.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

/** Linker script 1m: the sketch area ends at 0xfb000. */
const small = { core: '2.7.2', signing: 'none', chipSizeBytes: 0x100000, fsStart: 0xfb000, fsEnd: 0xfb000 } as const;
const atHalf = { ...sound.raw, sizeBytes: 0x7d000, payloadBytes: 0x7d000 };
const overHalf = { ...sound.raw, sizeBytes: 0x7d001, payloadBytes: 0x7d001 };

test('blocks an image built with core 2.7.2, with and without a device', (t) => {
  blocks(t, rule, { image: { core: '2.7.2' } }, /2\.7\.2/);
  blocks(t, rule, { image: { core: '2.7.2' }, facts: null }, /2\.7\.2/);
});

test('blocks a sketch on core 2.7.2 only if its copy reaches the staged bytes', (t) => {
  isSilent(t, rule, { artifact: atHalf, facts: small });
  blocks(t, rule, { artifact: overHalf, facts: small }, /staged at 512000.*end at 516096/);
  isSilent(t, rule, { artifact: overHalf, facts: { ...small, core: '2.7.3' } });
});

test('uses the uncompressed size of a gzip-compressed image on core 2.7.2', (t) => {
  const inflating = (sizeBytes: number) => ({ ...sound.gzip, sizeBytes: 0x20000, inflate: { sizeBytes } });
  isSilent(t, rule, { artifact: inflating(0xdb000), facts: small });
  blocks(t, rule, { artifact: inflating(0xdb001), facts: small }, /hang/);
});

test('blocks smaller sketches over web than over espota on core 2.7.2, because web stages at a lower address', (t) => {
  const facts = { ...small, transport: 'web', sketchSizeBytes: 0x40000 } as const;
  blocks(t, rule, { artifact: atHalf, facts }, /staged at 266240/);
  warns(t, rule, { artifact: atHalf, facts: { ...facts, transport: undefined } }, /web updater/);
});

test('warns if the staging address, the core of the image or the core of the device is unknown', (t) => {
  warns(t, rule, { artifact: overHalf, facts: { ...small, fsStart: undefined } }, /staging address is unknown/);
  warns(
    t,
    rule,
    { artifact: overHalf, facts: { ...small, core: undefined } },
    /core of the device is unknown and may be 2\.7\.2/,
  );
  isSilent(t, rule, { artifact: atHalf, facts: { ...small, core: undefined } });
  isSilent(t, rule, { image: { core: undefined, crcRule: 'application' } });
  isSilent(t, rule, { image: { core: undefined, crcRule: 'unknown' } });
  warns(t, rule, { image: { core: undefined, crcRule: 'eboot-page' } }, /core release of the image is unknown/);
  warns(t, rule, { image: { core: undefined } }, /core release of the image is unknown/);
  isSilent(t, rule, { artifact: sound.fsRaw, image: { core: undefined } });
});
