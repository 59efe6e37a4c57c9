import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { formatManifest, parseManifest } from '../../../src/core/model/manifest.ts';
import { type PackRequest, packImage } from '../../../src/core/pack/pack-image.ts';
import { signBuild } from '../../../src/core/pack/sign-build.ts';
import { buildDifferences } from '../../../src/core/preflight/build-differences.ts';
import { keyFileSigner } from '../../../src/core/signing/key-file-signer.ts';
import { expectOtaError } from '../../support/expected-error.ts';
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

type Recipe = typeof recipes extends fc.Arbitrary<infer Value> ? Value : never;

test('a device accepts every signed artifact, and every artifact contains the image', async (t) => {
  await fc.assert(
    fc.asyncProperty(recipes, fc.boolean(), async (recipe, isGzipAlready) => {
      const raw = built(recipe);
      const { build } = await packImage(request(isGzipAlready ? gzipSync(raw) : raw));
      const { manifest, files } = await signBuild(build, signer, 'private.key');
      for (const { file, encoding, signature, payloadBytes, sizeBytes } of manifest.artifacts) {
        const bytes = files.get(file) ?? new Uint8Array(0);
        t.is(bytes.length, sizeBytes);
        const payload = bytes.subarray(0, payloadBytes);
        const content = encoding === 'gzip' ? gunzipSync(payload) : payload;
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
