import test from 'ava';
import { fsWebAtomic as rule } from '../../../../src/core/preflight/rules/fs-web-atomic.ts';
import { isSilent, refuses, sound, warns } from '../case.ts';

/** 300,000 bytes of sketch take 303,104: so much more than the partition must the sketch area have. */
const facts = { transport: 'web', atomicFs: true, fsStart: 0x200000, fsEnd: 0x200000 + 0x1b6000 } as const;

test('the web updater of an atomic device needs room for the whole partition, to the sector', (t) => {
  isSilent(t, rule, { artifact: sound.fsGzip, facts });
  refuses(
    t,
    rule,
    { artifact: sound.fsGzip, facts: { ...facts, fsEnd: facts.fsEnd + 4096 } },
    /1798144 bytes as free space, but 1794048 are free/,
  );
});

test('espota and HTTP stage no more than is sent, and a device without ATOMIC_FS_UPDATE stages nothing', (t) => {
  const large = { ...facts, fsEnd: 0x3fa000 };
  for (const transport of ['espota', 'http'] as const) {
    isSilent(t, rule, { artifact: sound.fsGzip, facts: { ...large, transport } });
  }
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { ...large, atomicFs: false } });
});

test('not to know the free space is refused for gzip and not for raw', (t) => {
  refuses(t, rule, { artifact: sound.fsGzip, facts: { ...facts, sketchSizeBytes: undefined } }, /free space .*unknown/);
  isSilent(t, rule, { artifact: sound.fsRaw, facts: { ...facts, sketchSizeBytes: undefined } });
});

test('not to know the transport, or whether it is atomic, is a warning', (t) => {
  const large = { ...facts, fsEnd: 0x3fa000 };
  warns(t, rule, { artifact: sound.fsRaw, facts: { ...large, transport: undefined } }, /web updater/);
  warns(t, rule, { artifact: sound.fsRaw, facts: { ...large, atomicFs: undefined } }, /web updater/);
});
