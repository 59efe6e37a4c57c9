import test from 'ava';
import { fsSizeMismatch as rule } from '../../../../src/core/preflight/rules/fs-size-mismatch.ts';
import { blocks, isSilent, sound, warns } from '../case.ts';

const filesystem = { type: 'littlefs', blockSizeBytes: 8192, blockCount: 253, usedBytes: 0x8000, modeByte: 0 } as const;

test('blocks a signed or unsigned LittleFS image made for a different partition size', (t) => {
  for (const artifact of [sound.fsRaw, sound.fsRawSigned]) {
    blocks(t, rule, { artifact, image: { filesystem: { ...filesystem, blockCount: 252 } } }, /2064384 bytes.*2072576/);
    isSilent(t, rule, { artifact });
  }
});

test('warns on an older or unknown core, for SPIFFS, and for an image without a partition size', (t) => {
  const image = { filesystem: { ...filesystem, blockCount: 252 } };
  warns(t, rule, { artifact: sound.fsRaw, image, facts: { core: '3.1.0' } }, /2064384/);
  warns(t, rule, { artifact: sound.fsRaw, image, facts: { core: undefined } }, /2064384/);
  warns(t, rule, { artifact: sound.fsRaw, image: { filesystem: { ...image.filesystem, type: 'spiffs' } } }, /SPIFFS/);
  const unknown = { type: 'unknown', usedBytes: 0x1fa000, modeByte: 0 } as const;
  warns(
    t,
    rule,
    { artifact: sound.fsRaw, image: { filesystem: unknown } },
    /does not contain its partition size.*2072576/,
  );
});

test('allows a SPIFFS image for the whole blocks of a partition that ends with a part of a block', (t) => {
  const facts = { core: '2.5.2', fsStart: 0x100000, fsEnd: 0x3fb000 };
  const spiffs = { type: 'spiffs', blockSizeBytes: 8192, blockCount: 381, usedBytes: 0x8000, modeByte: 0 } as const;
  isSilent(t, rule, { artifact: sound.fsRaw, image: { filesystem: spiffs }, facts });
  warns(t, rule, { artifact: sound.fsRaw, image: { filesystem: { ...spiffs, blockCount: 380 } }, facts }, /SPIFFS/);
});

test('allows an erased image, and any image if the partition size of the device is unknown', (t) => {
  isSilent(t, rule, { artifact: sound.fsRaw, image: { filesystem: { type: 'erased', usedBytes: 0, modeByte: 255 } } });
  const image = { filesystem: { ...filesystem, blockCount: 252 } };
  isSilent(t, rule, { artifact: sound.fsRaw, image, facts: { fsEnd: undefined } });
});

test('blocks a LittleFS image that is larger than its superblock allows, even without a device', (t) => {
  const findings = [{ id: 'filesystem-size-mismatch', message: 'made for 8192 bytes, but the image has 12288' }];
  blocks(t, rule, { artifact: sound.fsRaw, image: { findings }, facts: null }, /12288/);
  warns(
    t,
    rule,
    { artifact: sound.fsRaw, image: { findings, filesystem: { ...filesystem, type: 'spiffs' } }, facts: null },
    /12288/,
  );
});
