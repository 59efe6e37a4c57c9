import test from 'ava';
import { noSpace as rule } from '../../../../src/core/preflight/rules/no-space.ts';
import { blocks, isSilent, runRule, sound, warns } from '../case.ts';

/** The sketch area of eagle.flash.1m64.ld has 0xeb000 bytes. With a sketch of 0x4b000 bytes, 0xa0000 bytes are free. */
const facts = { chipSizeBytes: 0x100000, fsStart: 0xeb000, fsEnd: 0xfb000, sketchSizeBytes: 0x4b000 } as const;
const ofSize = (sizeBytes: number) => ({ ...sound.raw, sizeBytes, payloadBytes: sizeBytes });
const fsOfSize = (sizeBytes: number) => ({ ...sound.fsRaw, sizeBytes, payloadBytes: sizeBytes });

test('blocks a sketch that is one byte larger than the free space and reports the excess in whole sectors', (t) => {
  isSilent(t, rule, { artifact: ofSize(0xa0000), facts });
  blocks(
    t,
    rule,
    { artifact: ofSize(0xa0001), facts },
    /659456 bytes of flash, but only 655360 are free: 4096 too many \(ERROR 4\)/,
  );
});

test('subtracts one sector from the free space for the web updater', (t) => {
  isSilent(t, rule, { artifact: ofSize(0x9f000), facts: { ...facts, transport: 'web' } });
  blocks(t, rule, { artifact: ofSize(0x9f001), facts: { ...facts, transport: 'web' } }, /651264 are free/);
  warns(t, rule, { artifact: ofSize(0x9f001), facts: { ...facts, transport: undefined } }, /over web/);
});

test('suggests compression if the compressed sketch would fit, otherwise a smaller sketch', (t) => {
  const gzip = { ...sound.gzip, sizeBytes: 0x90000 };
  const fix = (release: object, image = {}) =>
    runRule(rule, { artifact: ofSize(0xb0000), release, image, facts })?.fix ?? '';
  t.regex(fix({ artifacts: [gzip] }), /send the gzip artifact .*would fit with 64 KB to spare/);
  t.regex(fix({}, { gzipBytes: 0x90000 }), /send the gzip artifact .*would fit with 64 KB to spare/);
  const release = { artifacts: [{ ...gzip, sizeBytes: 0xa1000 }] };
  t.regex(fix(release), /smaller sketch/);
  t.notRegex(fix(release), /gzip/);
  blocks(
    t,
    rule,
    { artifact: ofSize(0xb0000), release, facts },
    /even compressed with gzip, this sketch is 4096 bytes/,
  );
  t.regex(fix({}), /smaller sketch/);
});

test('uses the whole sketch area if the size of the running sketch is unknown', (t) => {
  isSilent(t, rule, { artifact: ofSize(0xeb000), facts: { ...facts, sketchSizeBytes: undefined } });
  blocks(t, rule, { artifact: ofSize(0xeb001), facts: { ...facts, sketchSizeBytes: undefined } }, /too many/);
  isSilent(t, rule, { artifact: ofSize(0xeb001), facts: { sketchSizeBytes: undefined, fsStart: undefined } });
  warns(
    t,
    rule,
    { artifact: sound.raw, facts: { core: '2.4.1', fsStart: undefined } },
    /2\.4\.1 computes an incorrect start address/,
  );
});

test('blocks a filesystem image that is larger than its partition', (t) => {
  isSilent(t, rule, { artifact: fsOfSize(0x10000), facts });
  blocks(t, rule, { artifact: fsOfSize(0x10001), facts }, /69632 bytes, but its partition has 65536: .*ERROR 4/);
  blocks(t, rule, { artifact: fsOfSize(0x10001), facts: { ...facts, core: '2.5.2' } }, /overwrite the flash after it/);
  warns(
    t,
    rule,
    { artifact: fsOfSize(0x10001), facts: { core: '2.5.2', fsEnd: undefined } },
    /overwrite the flash after it/,
  );
  isSilent(t, rule, { artifact: fsOfSize(0x10001), facts, errors: ['fs-signed-size'] });
});

test('blocks a staged filesystem image that is larger than the free space', (t) => {
  const full = { ...facts, sketchSizeBytes: 0xe0000 };
  blocks(
    t,
    rule,
    { artifact: fsOfSize(0x10000), facts: { ...full, atomicFs: true } },
    /65536 bytes, but only 45056 are free/,
  );
  warns(t, rule, { artifact: fsOfSize(0x10000), facts: { ...full, atomicFs: undefined } }, /45056 are free/);
  isSilent(t, rule, { artifact: fsOfSize(0x10000), facts: { ...full, atomicFs: false } });
});

test('blocks a layout that exceeds the chip size', (t) => {
  blocks(t, rule, { facts: { chipSizeBytes: 0x100000 } }, /2097152.*1048576/);
});
