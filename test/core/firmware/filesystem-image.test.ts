import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { readFilesystemImage } from '../../../src/core/firmware/filesystem-image.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { concatBytes, setWord } from '../../support/image-builder.ts';
import { makeKeyPair, signFile } from '../../support/signed-file.ts';

// Truncated 4m2m image created with littlefs-python 0.19: version 2.0, 254 blocks of 8192 bytes, a small file and a file of 20,000 bytes.
const littleFs4m2m = gunzipSync(
  Buffer.from(
    'H4sIAAAAAAACA+3csUpDMRQA0KsVFB1av6B1UJCCxaUoFPEL/AhpawtVi76hm5/i4k+Io6ugq5uD4CZudpA+Uwdxs24+OAcCgeTmJiFbQiIi3sr5+6CfZYNO97zxFJWI+YhaxCS15dOS5xeTUsSw+rF0Veut5AAAAAAAAADAvzL3x/v/0d1j82d8pTqu7Ecs90/andFWLzsepMDlYXW8kb9cPvyeP/Wst3rbe+3T07NWI1Wmobu3688zzj/lr6f8i4f9o61slKXki2mEzevV15uZ4oeN8dpCWmPtIK2vMd5plu+7TgUAAAAAAAAARTMCAAAAAAAAAApvPiLsAgAAAAAAAAAUWym+fvv3BgAAAIBvfssDAAAAKJ5P//qICgCgAAA=',
    'base64',
  ),
);
// LittleFS image with on-disk version 2.1 (forward CRCs) and 16 blocks of 4096 bytes, not truncated.
const littleFs64k = gunzipSync(
  Buffer.from(
    'H4sIAAAAAAACA+3XP2oCQRiH4W9dSyXbpnJv4BFCjuABAloYXLAQtPcY1oGU3sCzZCOIvZUpDI5/jmAn+zzMXOBXvMy0IuLwkv6m1WIxHX/O+9sosmhFFPcT6XZTWp7ziDLar6MyIpv1Tuf1R+c7AQ10rULsyk1tCVAAoHEFeKu7PxNLwJPKH/j/55Nq1jv9d4+rLwOC9z+gAECDCvC+Hwx/LQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0FgXs+lJmwAAAQA=',
    'base64',
  ),
);

const erased = (sizeBytes: number) => new Uint8Array(sizeBytes).fill(0xff);

/** Builds a formatted SPIFFS image without files. Each block contains its magic number and erase count. */
function spiffs(blocks: number, blockSizeBytes: number, withLength: boolean): Uint8Array {
  const image = erased(blocks * blockSizeBytes);
  for (let index = 0; index < blocks; index += 1) {
    const magic = 0x0529 ^ 256 ^ (withLength ? blocks - index : 0);
    image.set([magic & 0xff, magic >> 8, 0, 0], index * blockSizeBytes + (blockSizeBytes === 65536 ? 512 : 256) - 4);
  }
  return image;
}

function findingIds(bytes: Uint8Array): readonly string[] {
  return readFilesystemImage(bytes).findings.map(({ id }) => id);
}

test('reads the partition size of a LittleFS image truncated after its last used block', (t) => {
  const { value, findings } = readFilesystemImage(littleFs4m2m);
  t.deepEqual(findings, []);
  t.deepEqual(value, {
    type: 'littlefs',
    version: '2.0',
    blockSizeBytes: 8192,
    blockCount: 254,
    partitionBytes: 254 * 8192,
    usedBytes: 5 * 8192,
  });
});

test('reads a LittleFS image with forward CRCs and does not count erased blocks as used', (t) => {
  const { value, findings } = readFilesystemImage(littleFs64k);
  t.deepEqual(findings, []);
  t.is(value?.version, '2.1');
  t.is(value?.partitionBytes, littleFs64k.length);
  t.is(value?.usedBytes, 2 * 4096);
});

test('ignores a superblock copy whose CRC does not match', (t) => {
  const { value } = readFilesystemImage(littleFs64k);
  t.is(value?.blockCount, 16);
  const older = Uint8Array.from(littleFs64k);
  setWord(older, 28, 99);
  t.is(readFilesystemImage(older).value?.blockCount, 16, 'a copy whose CRC is wrong does not count');
});

test('reads the second superblock copy if the first copy is erased', (t) => {
  for (const [image, blockSizeBytes] of [
    [littleFs64k, 4096],
    [littleFs4m2m, 8192],
  ] as const) {
    const half = Uint8Array.from(image);
    half.fill(0xff, 0, blockSizeBytes);
    t.is(readFilesystemImage(half).value?.blockSizeBytes, blockSizeBytes);
  }
});

test('reports a LittleFS image with two damaged superblock copies', (t) => {
  const broken = Uint8Array.from(littleFs64k);
  setWord(broken, 28, 0xffffffff);
  setWord(broken, 4096 + 28, 0xffffffff);
  const { value } = readFilesystemImage(broken);
  t.is(value?.type, 'littlefs');
  t.is(value?.partitionBytes, undefined);
  t.deepEqual(findingIds(broken), ['filesystem-superblock-invalid']);
});

test('reports an image that is larger than its partition or truncated within its first two blocks', (t) => {
  t.deepEqual(findingIds(concatBytes(littleFs64k, erased(4096))), ['filesystem-size-mismatch']);
  t.deepEqual(findingIds(littleFs64k.subarray(0, 4096)), ['filesystem-truncated']);
});

test('recognizes SPIFFS magic numbers with and without the filesystem length', (t) => {
  for (const blockSizeBytes of [4096, 8192, 65536]) {
    for (const withLength of [false, true]) {
      const { value, findings } = readFilesystemImage(spiffs(6, blockSizeBytes, withLength));
      t.deepEqual(findings, []);
      t.like(value, { type: 'spiffs', blockSizeBytes, blockCount: 6, partitionBytes: 6 * blockSizeBytes });
    }
  }
});

test('accepts a SPIFFS image that ends with a part of a block, as in layouts before core 2.6.0', (t) => {
  for (const withLength of [false, true]) {
    const image = Buffer.concat([spiffs(6, 8192, withLength), erased(4096)]);
    t.deepEqual(findingIds(image), []);
    t.is(readFilesystemImage(image).value?.partitionBytes, 6 * 8192);
  }
  t.deepEqual(findingIds(Buffer.concat([spiffs(6, 8192, true), erased(8192)])), ['filesystem-size-mismatch']);
});

test('reports a truncated SPIFFS image if its magic numbers include the length', (t) => {
  t.deepEqual(findingIds(spiffs(8, 4096, true).subarray(0, 5 * 4096)), ['filesystem-size-mismatch']);
});

test('reads erased flash as an empty filesystem', (t) => {
  const { value } = readFilesystemImage(erased(8192));
  t.is(value?.type, 'erased');
  t.is(value?.usedBytes, 0);
  t.deepEqual(findingIds(erased(8192)), ['filesystem-erased']);
});

test('returns no filesystem for bytes that are not a filesystem image', (t) => {
  t.is(readFilesystemImage(new Uint8Array()).value, undefined);
  t.is(readFilesystemImage(new Uint8Array(10_000)).value, undefined);
  t.is(readFilesystemImage(Buffer.alloc(10_000, 'littlefs?')).value, undefined);
});

test('does not throw if the file ends within the LittleFS superblock', (t) => {
  for (let length = 0; length < 64; length += 1)
    t.notThrows(() => readFilesystemImage(littleFs64k.subarray(0, length)));
});

test('finds the signature trailer in complete and truncated filesystem images', (t) => {
  const { privateKey, publicKey } = makeKeyPair();
  for (const image of [littleFs4m2m, littleFs64k, spiffs(4, 4096, false), erased(4096)]) {
    const read = readFirmware(signFile(image, privateKey, 'current'), { knownKeys: [publicKey] });
    t.is(read.kind, 'filesystem');
    t.is(read.trailer?.format, 'current');
    t.is(read.content.length, image.length);
    t.is(readFirmware(image).trailer, undefined);
  }
});
