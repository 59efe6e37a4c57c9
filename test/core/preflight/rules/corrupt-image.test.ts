import { gzipSync } from 'node:zlib';
import test from 'ava';
import { readFirmware } from '../../../../src/core/firmware/firmware.ts';
import { fileRelease } from '../../../../src/core/preflight/file-release.ts';
import { corruptImage as rule } from '../../../../src/core/preflight/rules/corrupt-image.ts';
import { runRules } from '../../../../src/core/preflight/run-rules.ts';
import { buildImage, setWord } from '../../../support/image-builder.ts';
import { buildLittleFs } from '../../../support/littlefs-builder.ts';
import { blocks, isSilent, sound } from '../case.ts';

/** Returns the message of the rule for a file, as `preflight FILE` does. */
function messageFor(file: Uint8Array): string | undefined {
  const release = fileRelease(readFirmware(file), { file: 'file.bin' });
  const [artifact] = release.artifacts;
  if (artifact === undefined) throw new Error('a file is one artifact');
  return runRules({ release, artifact, facts: undefined }).find(({ rule: id }) => id === rule.id)?.message;
}

const image = buildImage();

test('allows a valid raw or gzip-compressed image', (t) => {
  t.is(messageFor(image), undefined);
  t.is(messageFor(gzipSync(image)), undefined);
  t.is(messageFor(buildLittleFs({ blockCount: 16 })), undefined);
});

test('blocks a raw or gzip-compressed image with one flipped bit in a segment', (t) => {
  const flipped = image.slice();
  flipped[0x1100] = (flipped[0x1100] ?? 0) ^ 1;
  t.regex(messageFor(flipped) ?? '', /checksum/);
  t.regex(messageFor(gzipSync(flipped)) ?? '', /checksum/);
});

test('blocks an image with two flipped bits that only the CRC detects', (t) => {
  const flipped = image.slice();
  for (const at of [0x1100, 0x1104]) flipped[at] = (flipped[at] ?? 0) ^ 1;
  t.regex(messageFor(flipped) ?? '', /CRC/);
});

test('blocks an image whose segment table extends past the end of the file', (t) => {
  const broken = image.slice();
  setWord(broken, 0x100c, 0xffffffff);
  t.regex(messageFor(broken) ?? '', /segment 1/);
  t.regex(messageFor(image.subarray(0, image.length - 16)) ?? '', /past|after|missing|has/);
});

test('blocks a gzip-compressed image that is truncated or states an incorrect size', (t) => {
  const gzip = gzipSync(image);
  t.regex(messageFor(gzip.subarray(0, gzip.length - 9)) ?? '', /ends within/);
  const wrong = Uint8Array.from(gzip);
  setWord(wrong, wrong.length - 4, 100);
  t.regex(messageFor(wrong) ?? '', /size field is 100,/);
});

test('blocks an image with a damaged superblock, and a file that is not firmware', (t) => {
  const filesystem = buildLittleFs({ blockCount: 16 });
  for (const at of [40, 4096 + 40]) filesystem[at] = 0x77;
  t.regex(messageFor(filesystem) ?? '', /superblock/);
  t.regex(messageFor(Buffer.from('hello')) ?? '', /neither/);
  t.regex(messageFor(new Uint8Array()) ?? '', /content is empty/);
});

test('blocks a gzip-compressed image that eboot cannot inflate', (t) => {
  blocks(t, rule, { artifact: { ...sound.gzip, inflate: undefined }, facts: null }, /does not inflate/);
  isSilent(t, rule, { artifact: sound.gzip, facts: null });
});
