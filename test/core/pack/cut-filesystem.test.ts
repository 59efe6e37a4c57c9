import test from 'ava';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import type { Build } from '../../../src/core/pack/build.ts';
import { type PackRequest, packImage } from '../../../src/core/pack/pack-image.ts';
import { signBuild } from '../../../src/core/pack/sign-build.ts';
import { keyFileSigner } from '../../../src/core/signing/key-file-signer.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { buildLittleFs } from '../../support/littlefs-builder.ts';
import { noisyBytes } from '../device-model/recipes.ts';

const signer = keyFileSigner(readPrivateKey(rsaPems(2048).privatePem, 'owner'));
const partition = 16 * 4096;

async function signedBuild(
  image: Uint8Array,
  metadata?: PackRequest['metadata'],
): Promise<{ build: Build; warnings: readonly string[] }> {
  const { build, warnings } = await packImage({
    path: 'fs.bin',
    file: 'fs.bin',
    image,
    elf: undefined,
    kind: 'filesystem',
    publicKey: signer.publicKey,
    compression: 'gzip',
    legacy: true,
    signCompressedFilesystem: true,
    enforcementDeclared: false,
    metadata,
    project: undefined,
    version: undefined,
    board: undefined,
  });
  return { build: await signBuild(build, signer, 'owner'), warnings };
}

test('truncates a LittleFS image after its last used block if the signature would not fit', async (t) => {
  const image = buildLittleFs({ blockCount: 16, content: noisyBytes(5 * 4096, 1, 1) });
  const { build, warnings } = await signedBuild(image);
  t.deepEqual(warnings, []);
  for (const [suffix, format] of [
    ['signed', 'current'],
    ['legacy_sig', 'legacy'],
  ] as const) {
    const bytes = build.files.get(`fs.bin.${suffix}`) ?? new Uint8Array();
    t.is(bytes.length, 7 * 4096 + 260);
    t.deepEqual(deviceVerdict(bytes, signer.publicKey, format), { accepted: true });
    const { filesystem, payload } = readFirmware(bytes, { knownKeys: [signer.publicKey] });
    t.is(filesystem?.partitionBytes, partition);
    t.deepEqual(Buffer.from(payload), Buffer.from(image.subarray(0, 7 * 4096)));
  }
});

test('truncates a LittleFS image that leaves no room for its metadata and its signature', async (t) => {
  // The image fits with the signature, but not with the metadata too.
  const image = buildLittleFs({ blockCount: 16, content: noisyBytes(5 * 4096, 1, 1) }).subarray(0, partition - 270);
  const { build } = await signedBuild(image, { product: 'door', securityVersion: 1, raw: true });
  const bytes = build.files.get('fs.bin.signed') ?? new Uint8Array();
  t.is(bytes.length, 7 * 4096 + 32 + 260);
  const { content, metadata, kind } = readFirmware(bytes, { knownKeys: [signer.publicKey] });
  t.deepEqual(Buffer.from(content), Buffer.from(image.subarray(0, 7 * 4096)));
  t.like(metadata, { kind: 'filesystem', flashModeByte: 0, flashSizeByte: 0, securityVersion: 1 });
  t.is(kind, 'filesystem');
});

test('keeps the unsigned image and the gzip file complete and records the signed sizes in the manifest', async (t) => {
  const image = buildLittleFs({ blockCount: 16, content: noisyBytes(5 * 4096, 1, 1) });
  const { build } = await signedBuild(image);
  t.is(build.files.get('fs.bin')?.length, partition);
  const sizes = build.manifest.artifacts.map(({ file, payloadBytes, inflate }) => [
    file,
    payloadBytes,
    inflate?.sizeBytes,
  ]);
  const gzipBytes = build.files.get('fs.bin.gz')?.length;
  t.deepEqual(sizes, [
    ['fs.bin', partition, undefined],
    ['fs.bin.gz', gzipBytes, partition],
    ['fs.bin.signed', 7 * 4096, undefined],
    ['fs.bin.gz.signed', gzipBytes, partition],
    ['fs.bin.legacy_sig', 7 * 4096, undefined],
  ]);
});

test('does not truncate a LittleFS image if its partition has space for the signature', async (t) => {
  const image = buildLittleFs({ blockCount: 16 }).slice(0, 8 * 4096);
  const { build } = await signedBuild(image);
  t.is(build.files.get('fs.bin.signed')?.length, 8 * 4096 + 260);
});

test('warns about a LittleFS image that cannot be truncated because its last block is in use', async (t) => {
  const image = buildLittleFs({ blockCount: 16, content: noisyBytes(14 * 4096, 1, 2) });
  const { build, warnings } = await signedBuild(image);
  t.is(build.files.get('fs.bin.signed')?.length, partition + 260);
  t.is(warnings.length, 1);
  t.regex(
    warnings[0] ?? '',
    /fills its partition of 65536 bytes.*build the image with at most 65276 bytes \(fs-signed-size\)/,
  );
});
