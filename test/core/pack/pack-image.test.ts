import { gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { readFirmware } from '../../../src/core/firmware/firmware.ts';
import { productDigest } from '../../../src/core/firmware/update-metadata.ts';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { formatManifest, type Manifest, parseManifest } from '../../../src/core/model/manifest.ts';
import { type PackRequest, packImage } from '../../../src/core/pack/pack-image.ts';
import { signBuild } from '../../../src/core/pack/sign-build.ts';
import { buildDifferences } from '../../../src/core/preflight/build-differences.ts';
import { keyFileSigner } from '../../../src/core/signing/key-file-signer.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { buildGzip } from '../../support/gzip-builder.ts';
import { buildImage } from '../../support/image-builder.ts';
import { rsaPems } from '../../support/key-pairs.ts';

const signer = keyFileSigner(readPrivateKey(rsaPems().privatePem, 'private.key'));
const { pem, keyObject, fingerprint } = signer.publicKey;
const keyForms = { text: Buffer.from(`${pem}\0`, 'latin1'), der: keyObject.export({ type: 'spki', format: 'der' }) };

function request(image: Uint8Array, more: Partial<PackRequest> = {}): PackRequest {
  return {
    path: 'door.bin',
    file: 'door.bin',
    image,
    elf: undefined,
    kind: undefined,
    publicKey: signer.publicKey,
    compression: 'gzip',
    legacy: true,
    signCompressedFilesystem: false,
    enforcementDeclared: false,
    project: undefined,
    version: undefined,
    board: undefined,
    ...more,
  };
}

/** Components of an image instead of its bytes, so that a failing example is readable. */
const recipes = fc.record({
  generation: fc.constantFrom('3', '2.7', '2.6'),
  before: fc.uint8Array({ maxLength: 500 }),
  key: fc.constantFrom('text', 'der'),
  after: fc.uint8Array({ maxLength: 500 }),
  appended: fc.uint8Array({ maxLength: 70 }),
});

function built({ generation, before, key, after, appended }: Recipe): Uint8Array {
  const image = buildImage({ generation, flashContent: Buffer.concat([before, keyForms[key], after]) });
  return Buffer.concat([image, appended]);
}

const anyMetadata = fc.constantFrom<PackRequest['metadata']>('none', undefined, {
  product: 'door',
  securityVersion: 3,
  raw: true,
});

type Recipe = typeof recipes extends fc.Arbitrary<infer Value> ? Value : never;

test('a device accepts every signed artifact, and every artifact contains the image', async (t) => {
  await fc.assert(
    fc.asyncProperty(recipes, fc.boolean(), anyMetadata, async (recipe, isGzipAlready, metadata) => {
      const raw = built(recipe);
      const { build } = await packImage(request(isGzipAlready ? gzipSync(raw) : raw, { metadata }));
      const { manifest, files } = await signBuild(build, signer, 'private.key');
      for (const { file, encoding, signature, payloadBytes, sizeBytes } of manifest.artifacts) {
        const bytes = files.get(file) ?? new Uint8Array(0);
        t.is(bytes.length, sizeBytes);
        const { content, metadata: marks } = readFirmware(bytes, { knownKeys: [signer.publicKey] });
        const isMarked =
          metadata !== 'none' && (encoding === 'gzip' || (metadata?.raw === true && signature === 'current'));
        t.is(marks !== undefined, isMarked && file !== manifest.image.file, file);
        t.true(Buffer.from(raw).equals(content.subarray(0, raw.length)), file);
        t.true(content.subarray(raw.length).every((byte) => byte === 0xff) && content.length < raw.length + 4, file);
        if (signature === 'none') continue;
        t.deepEqual(deviceVerdict(bytes, signer.publicKey, signature), { accepted: true }, file);
        t.is(payloadBytes % 4, 0, file);
      }
      t.deepEqual(manifest.artifacts.map(({ encoding, signature }) => `${encoding} ${signature}`).sort(), [
        'gzip current',
        'gzip none',
        'identity current',
        'identity legacy',
        'identity none',
      ]);
      const read = async ({ file }: { readonly file: string }) => files.get(file);
      t.deepEqual((await buildDifferences({ manifest, key: signer.publicKey, read })).differences, []);
      t.deepEqual(manifest.embeddedKeys, [fingerprint]);
    }),
    { numRuns: 40 },
  );
});

const guarded = { product: 'Tür', securityVersion: 3, raw: true };
const dioImage = buildImage({ flashContent: keyForms.text, modeByte: 2, sizeAndFrequencyByte: 0x4f });

test('describes the update in the metadata of each artifact', async (t) => {
  const { build } = await packImage(request(dioImage, { metadata: guarded }));
  const { manifest, files } = await signBuild(build, signer, 'a test key');
  const inGzip = manifest.artifacts.find(({ file }) => file === 'door.bin.gz');
  const shared = { format: 1, kind: 'sketch', flashModeByte: 2, flashSizeByte: 0x4f, securityVersion: 3 } as const;
  const expected = {
    'door.bin': undefined,
    'door.bin.gz': {
      ...shared,
      memberBytes: inGzip?.payloadBytes,
      lowestStart: inGzip?.inflate?.lowestStaging?.erasesFirst,
      product: productDigest('Tür'),
    },
    'door.bin.signed': { ...shared, memberBytes: 0, lowestStart: 0, product: productDigest('Tür') },
    'door.bin.legacy_sig': undefined,
  };
  for (const { file, metadata } of manifest.artifacts) {
    const wanted = expected[file.replace('.gz.signed', '.gz') as keyof typeof expected];
    t.deepEqual(metadata, wanted as Manifest['artifacts'][number]['metadata'], file);
    const bytes = files.get(file) ?? new Uint8Array();
    t.deepEqual(readFirmware(bytes, { knownKeys: [signer.publicKey] }).metadata, metadata, file);
  }
  t.deepEqual(files.get('door.bin'), dioImage);
});

test('writes metadata of an unguarded project only into gzip artifacts', async (t) => {
  const { build } = await packImage(request(dioImage, { project: 'door' }));
  const { manifest, files } = await signBuild(build, signer, 'a test key');
  t.deepEqual(manifest.metadata, { product: 'door', securityVersion: 0, raw: false });
  t.deepEqual(
    manifest.artifacts.filter(({ metadata }) => metadata !== undefined).map(({ file }) => file),
    ['door.bin.gz', 'door.bin.gz.signed'],
  );
  const signed = files.get('door.bin.signed') ?? new Uint8Array();
  t.deepEqual(signed.subarray(0, dioImage.length), dioImage);
  t.is(signed.length, dioImage.length + signer.publicKey.modulus.length + 4);
});

test('rejects a gzip image whose extra field would hide the metadata', async (t) => {
  const gzip = buildGzip(dioImage, { extra: Buffer.from('AB\x01\0x', 'latin1') });
  await expectOtaError(t, 'GZIP_EXTRA_FIELD', () => packImage(request(gzip)));
  const { build } = await packImage(request(gzip, { metadata: 'none' }));
  t.is(build.manifest.metadata, undefined);
});

test('packs a gzip image that contains metadata of another build with its own metadata', async (t) => {
  const first = await packImage(request(dioImage, { metadata: { ...guarded, product: 'window' } }));
  const gzip = first.build.files.get('door.bin.gz') ?? new Uint8Array();
  const { build } = await packImage(request(gzip, { metadata: guarded }));
  const { manifest, files } = await signBuild(build, signer, 'a test key');
  t.deepEqual(files.get('door.bin'), gzip);
  t.is(manifest.artifacts.find(({ file }) => file === 'door.bin')?.metadata?.product, productDigest('window'));
  t.is(manifest.artifacts.find(({ file }) => file === 'door.bin.signed')?.metadata?.product, productDigest('Tür'));
});

test('reports metadata that does not describe its artifact', async (t) => {
  const { build } = await packImage(request(dioImage, { metadata: guarded }));
  const { manifest, files } = await signBuild(build, signer, 'a test key');
  const read = async ({ file }: { readonly file: string }) => files.get(file);
  const differences = async (changed: Manifest) =>
    (await buildDifferences({ manifest: changed, key: signer.publicKey, read })).differences;
  t.deepEqual(await differences(manifest), []);
  const renamed = await differences({ ...manifest, metadata: { ...guarded, product: 'window' } });
  t.deepEqual(
    renamed,
    ['.gz', '.signed', '.gz.signed'].map((end) => `the metadata of door.bin${end} does not match`),
  );
  const artifacts = manifest.artifacts.map((artifact) => ({
    ...artifact,
    metadata: artifact.metadata && { ...artifact.metadata, securityVersion: 4 },
  }));
  t.deepEqual(await differences({ ...manifest, artifacts }), renamed);
  t.deepEqual(await differences({ ...manifest, metadata: { ...guarded, raw: false } }), [
    'the metadata of door.bin.signed does not match',
  ]);
});

test('a manifest is unchanged after formatting and parsing', async (t) => {
  await fc.assert(
    fc.asyncProperty(recipes, fc.option(fc.string({ minLength: 1 }), { nil: undefined }), async (recipe, project) => {
      const { build } = await packImage(request(built(recipe), { project }));
      const text = formatManifest(build.manifest);
      const parsed = parseManifest(text);
      if ('reason' in parsed) return t.fail(parsed.reason);
      t.is(formatManifest(parsed.manifest), text);
    }),
    { numRuns: 20 },
  );
});

test('finds the PEM or DER key in a raw or gzip-compressed image and rejects an image with a different key', async (t) => {
  for (const key of Object.values(keyForms)) {
    const image = buildImage({ flashContent: key });
    await packImage(request(image));
    await packImage(request(gzipSync(image)));
    const other = Buffer.from(key);
    other.writeUInt8(other.readUInt8(80) ^ 1, 80);
    await expectOtaError(t, 'ENFORCEMENT_KEY_MISSING', () => packImage(request(buildImage({ flashContent: other }))));
  }
});

test('warns that enforcement is unproven without an ELF file or a declaration of enforcement', async (t) => {
  const image = buildImage({ flashContent: keyForms.text });
  const unproven = await packImage(request(image));
  t.is(unproven.build.manifest.enforcement, 'unproven');
  t.true(unproven.warnings.some((line) => line.includes('nothing shows that the Updater verifies signatures')));
  const declared = await packImage(request(image, { enforcementDeclared: true }));
  t.is(declared.build.manifest.enforcement, 'declared');
  t.false(declared.warnings.some((line) => line.includes('nothing shows')));
});
