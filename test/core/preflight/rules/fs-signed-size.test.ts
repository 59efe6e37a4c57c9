import test from 'ava';
import { fsSignedSize as rule } from '../../../../src/core/preflight/rules/fs-signed-size.ts';
import { ask, isSilent, ours, refuses, sound, warns } from '../case.ts';

const partition = 0x1fa000;
const signed = (payloadBytes: number) => ({ ...sound.fsRawSigned, payloadBytes, sizeBytes: payloadBytes + 260 });

test('a filesystem that fills its partition is refused with a signature behind it, to the byte', (t) => {
  isSilent(t, rule, { artifact: signed(partition - 260) });
  refuses(t, rule, { artifact: signed(partition - 256) }, /2072580 bytes.*2072576: .*ERROR 4/);
  refuses(t, rule, { artifact: signed(partition) }, /ERROR 4/);
});

test('without bounds the EEPROM sector is overwritten', (t) => {
  refuses(t, rule, { artifact: signed(partition), facts: { core: '2.5.2' } }, /2\.5\.2 would overwrite the EEPROM/);
});

test('the superblock bounds it where the partition is not known', (t) => {
  refuses(t, rule, { artifact: signed(partition), facts: { fsEnd: undefined } }, /2072576/);
  isSilent(t, rule, { artifact: sound.fsRawSigned, facts: { fsEnd: undefined } });
});

test('the way out is to cut erased blocks off, and to put less in where there are none', (t) => {
  const instead = (usedBytes: number) => {
    const filesystem = { type: 'littlefs', blockSizeBytes: 8192, blockCount: 253, usedBytes, modeByte: 0 } as const;
    return ask(rule, { artifact: signed(partition), image: { filesystem } })?.instead ?? '';
  };
  t.regex(instead(0x8000), /cut off the erased blocks.* 32768 bytes/);
  t.regex(instead(partition), /last block is in use/);
});

test('a build by itself is warned when it cannot be cut so that it fits', (t) => {
  const release = { signing: { publicKey: { fingerprint: ours, bits: 2048 } } };
  const full = { type: 'spiffs', blockSizeBytes: 8192, blockCount: 253, usedBytes: partition, modeByte: 0 } as const;
  isSilent(t, rule, { artifact: sound.fsRaw, release, facts: null });
  warns(t, rule, { artifact: sound.fsRaw, release, image: { filesystem: full }, facts: null }, /fills its partition/);
  isSilent(t, rule, { artifact: sound.fsRaw, image: { filesystem: full }, facts: null });
});
