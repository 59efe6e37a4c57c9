import test from 'ava';
import { fsSignedSize as rule } from '../../../../src/core/preflight/rules/fs-signed-size.ts';
import { blocks, isSilent, ours, runRule, sound, warns } from '../case.ts';

const partition = 0x1fa000;
const signed = (payloadBytes: number) => ({ ...sound.fsRawSigned, payloadBytes, sizeBytes: payloadBytes + 260 });

test('blocks a filesystem image whose signature makes it larger than its partition', (t) => {
  isSilent(t, rule, { artifact: signed(partition - 260) });
  blocks(t, rule, { artifact: signed(partition - 256) }, /2072580 bytes.*2072576: .*ERROR 4/);
  blocks(t, rule, { artifact: signed(partition) }, /ERROR 4/);
});

test('blocks a signed filesystem image for core 2.5.2 because it would overwrite the EEPROM sector', (t) => {
  blocks(t, rule, { artifact: signed(partition), facts: { core: '2.5.2' } }, /2\.5\.2 would overwrite the EEPROM/);
});

test('uses the size from the superblock if the partition size is unknown', (t) => {
  blocks(t, rule, { artifact: signed(partition), facts: { fsEnd: undefined } }, /2072576/);
  isSilent(t, rule, { artifact: sound.fsRawSigned, facts: { fsEnd: undefined } });
});

test('suggests truncating erased blocks, or a smaller image if the last block is in use', (t) => {
  const fix = (usedBytes: number) => {
    const filesystem = { type: 'littlefs', blockSizeBytes: 8192, blockCount: 253, usedBytes, modeByte: 0 } as const;
    return runRule(rule, { artifact: signed(partition), image: { filesystem } })?.fix ?? '';
  };
  t.regex(fix(0x8000), /cut off the erased blocks.* 32768 bytes/);
  t.regex(fix(partition), /at most 2072316 bytes/);
});

test('warns about a build whose filesystem image cannot be truncated to make space for a signature', (t) => {
  const release = { signing: { publicKey: { fingerprint: ours, bits: 2048 } } };
  const full = { type: 'spiffs', blockSizeBytes: 8192, blockCount: 253, usedBytes: partition, modeByte: 0 } as const;
  isSilent(t, rule, { artifact: sound.fsRaw, release, facts: null });
  warns(t, rule, { artifact: sound.fsRaw, release, image: { filesystem: full }, facts: null }, /fills its partition/);
  isSilent(t, rule, { artifact: sound.fsRaw, image: { filesystem: full }, facts: null });
});
