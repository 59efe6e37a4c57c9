import test from 'ava';
import { fsWebAtomic as rule } from '../../../../src/core/preflight/rules/fs-web-atomic.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

/** A sketch of 300,000 bytes occupies 303,104 bytes. The remaining free space equals the partition size. */
const facts = { transport: 'web', atomicFs: true, fsStart: 0x200000, fsEnd: 0x200000 + 0x1b6000 } as const;

test('blocks a web update with ATOMIC_FS_UPDATE if the partition is one sector larger than the free space', (t) => {
  isSilent(t, rule, { artifact: sound.fsGzip, facts });
  blocks(
    t,
    rule,
    { artifact: sound.fsGzip, facts: { ...facts, fsEnd: facts.fsEnd + 4096 } },
    /1798144 bytes as free space, but 1794048 are free/,
  );
});

test('allows espota and HTTP, which stage only the bytes that are sent, and web without ATOMIC_FS_UPDATE', (t) => {
  const large = { ...facts, fsEnd: 0x3fa000 };
  for (const transport of ['espota', 'http'] as const) {
    isSilent(t, rule, { artifact: sound.fsGzip, facts: { ...large, transport } });
  }
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { ...large, atomicFs: false } });
});

test('blocks a gzip-compressed filesystem image but not a raw one if the free space is unknown', (t) => {
  blocks(t, rule, { artifact: sound.fsGzip, facts: { ...facts, sketchSizeBytes: undefined } }, /free space .*unknown/);
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { ...facts, sketchSizeBytes: undefined } });
});

test('warns if the transport or ATOMIC_FS_UPDATE is unknown', (t) => {
  const large = { ...facts, fsEnd: 0x3fa000 };
  warns(t, rule, { artifact: sound.fsRaw, facts: { ...large, transport: undefined } }, /web updater/);
  warns(t, rule, { artifact: sound.fsRaw, facts: { ...large, atomicFs: undefined } }, /web updater/);
});
