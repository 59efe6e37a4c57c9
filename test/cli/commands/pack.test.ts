import { createHash, createPrivateKey } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { guardRecord, productHash } from '../../../src/core/keys/guard-record.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { type Manifest, parseManifest } from '../../../src/core/model/manifest.ts';
import { builtSketch, door, elfWithoutVerifier } from '../../support/built-sketch.ts';
import { buildGzip } from '../../support/gzip-builder.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { signFile } from '../../support/signed-file.ts';
import { spiffsImage } from '../../support/spiffs-image.ts';
import type { TestFolder } from '../../support/test-folder.ts';

const key = readPublicKey(door.publicPem, 'public.key');
const keyObject = createPrivateKey(door.privatePem);
const image = 'build/door.ino.bin';
const inputs = [image, 'build/door.ino.elf', 'private.key', 'public.key'];
const stale = ['.gz', '.raw', '.signed', '.gz.signed', '.raw.signed', '.legacy_sig', '.ota.json'].map(
  (suffix) => image + suffix,
);

function pack(folder: TestFolder, ...argv: string[]): Promise<CommandRun> {
  return runCommand(['pack', ...argv], { cwd: folder.path });
}

async function manifestOf(folder: TestFolder, name = `${image}.ota.json`): Promise<Manifest> {
  const parsed = parseManifest(await folder.text(name));
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.manifest;
}

/** Contents of all files in the folder, by name. */
async function contents(folder: TestFolder): Promise<Record<string, string>> {
  const names = await folder.list();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await folder.read(name)).toString('base64')])),
  );
}

test('pack writes raw and compressed artifacts, signs both and writes the manifest', async (t) => {
  const folder = await builtSketch(t);
  const { exitCode, stdout, stderr } = await pack(folder, image);
  t.is(exitCode, 0, stderr);
  t.is(stdout, '');
  for (const name of [`${image}.signed`, `${image}.gz.signed`]) {
    t.true(stderr.includes(`Signed binary: ${name}\n`), stderr);
    t.deepEqual(deviceVerdict(await folder.read(name), key, 'current'), { accepted: true });
  }
  t.deepEqual(
    await folder.list(),
    [...inputs, `${image}.gz`, `${image}.gz.signed`, `${image}.ota.json`, `${image}.signed`].sort(),
  );
  t.true((await folder.read(image)).equals(door.bin));
  t.true((await folder.read(`${image}.signed`)).equals(signFile(door.bin, keyObject, 'current')));
  const gzip = await folder.read(`${image}.gz`);
  t.is(gzip.length % 4, 0);
  t.true(gunzipSync(gzip).equals(door.bin));
  t.true((await folder.read(`${image}.gz.signed`)).equals(signFile(gzip, keyObject, 'current')));
});

test('pack writes a manifest with the image, the keys, the enforcement proof and all digests', async (t) => {
  const folder = await builtSketch(t);
  const options = ['--project', 'door', '--firmware-version', '1.2.3', '--board', 'd1_mini', '--legacy'];
  await pack(folder, image, ...options);
  const manifest = await manifestOf(folder);
  t.like(manifest, { manifest: 1, project: 'door', version: '1.2.3', board: 'd1_mini', enforcement: 'elf' });
  t.like(manifest.image, {
    file: 'door.ino.bin',
    kind: 'sketch',
    encoding: 'identity',
    core: '3.1.2',
    flashMode: 'dio',
  });
  t.is(manifest.image.sketchMd5s.length, 112);
  t.deepEqual(manifest.embeddedKeys, [key.fingerprint]);
  t.deepEqual(manifest.signing.publicKey, { fingerprint: key.fingerprint, bits: 2048, pem: key.pem });
  t.deepEqual(
    manifest.artifacts.map(({ file, encoding, signature }) => [file, encoding, signature]),
    [
      ['door.ino.bin', 'identity', 'none'],
      ['door.ino.bin.gz', 'gzip', 'none'],
      ['door.ino.bin.signed', 'identity', 'current'],
      ['door.ino.bin.gz.signed', 'gzip', 'current'],
      ['door.ino.bin.legacy_sig', 'identity', 'legacy'],
    ],
  );
  for (const artifact of manifest.artifacts) {
    const bytes = await folder.read(`build/${artifact.file}`);
    t.is(artifact.sizeBytes, bytes.length);
    t.is(artifact.md5, createHash('md5').update(bytes).digest('hex'));
    t.is(artifact.sha256, createHash('sha256').update(bytes).digest('hex'));
    t.is(artifact.keyFingerprint, artifact.signature === 'none' ? undefined : key.fingerprint);
  }
});

test('pack produces the same bytes in any folder, in repeated runs and beside stale files', async (t) => {
  const here = await builtSketch(t);
  const there = await builtSketch(t, Object.fromEntries(stale.map((name) => [name, 'stale'])));
  await pack(here, image, '--legacy');
  const first = await contents(here);
  await pack(here, image, '--legacy');
  await pack(there, there.at(image), '--source', there.path, '--legacy');
  t.deepEqual(await contents(here), first);
  t.deepEqual(await contents(there), first);
});

test('pack --legacy also signs the raw image for core 2.5.x', async (t) => {
  const folder = await builtSketch(t);
  await pack(folder, image, '--legacy');
  t.true((await folder.read(`${image}.legacy_sig`)).equals(signFile(door.bin, keyObject, 'legacy')));
});

test('pack --compression none writes no compressed artifact', async (t) => {
  const folder = await builtSketch(t);
  await pack(folder, image, '--compression', 'none');
  t.deepEqual(await folder.list(), [...inputs, `${image}.ota.json`, `${image}.signed`].sort());
});

test('pack signs nothing without keys and warns about the public key in the image', async (t) => {
  const folder = await builtSketch(t);
  const { exitCode, stderr } = await pack(folder, image, '--source', 'build');
  t.is(exitCode, 0);
  t.is(
    stderr,
    `warning: ${image} contains the public key ${key.fingerprint}, but the project has no key: the build is not signed, and a device that verifies with this key rejects it\n`,
  );
  t.deepEqual(await folder.list(), [...inputs, `${image}.gz`, `${image}.ota.json`].sort());
  const manifest = await manifestOf(folder);
  t.is(manifest.enforcement, 'unproven');
  t.is(manifest.signing.publicKey, undefined);
});

test('pack skips signing if there is only a public key, and explains how to sign later', async (t) => {
  const folder = await builtSketch(t);
  const { exitCode, stderr } = await pack(folder, image, '--source', 'build', '--public-key', 'public.key');
  t.is(exitCode, 0);
  t.regex(
    stderr,
    /^Not signed here: sign with ota-hooks sign --manifest build\/door\.ino\.bin\.ota\.json --private-key FILE$/m,
  );
  t.like(await manifestOf(folder), { enforcement: 'elf', signing: { publicKey: { fingerprint: key.fingerprint } } });
});

test('pack derives the public key from the private key', async (t) => {
  const folder = await builtSketch(t);
  await pack(folder, image, '--source', 'build', '--private-key', 'private.key');
  t.like(await manifestOf(folder), { enforcement: 'elf', signing: { publicKey: { fingerprint: key.fingerprint } } });
});

test('pack reads the keys and the passphrase from the configuration and the environment', async (t) => {
  const encrypted = keyObject
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'open sesame' })
    .toString();
  const config = {
    project: 'door',
    privateKey: { env: 'OTA_PRIVATE_KEY_DOOR' },
    publicKey: '../public.key',
    passphrase: { env: 'DOOR_PASSPHRASE' },
  };
  const folder = await builtSketch(t, { 'config/ota.config.json': JSON.stringify(config) });
  const argv = ['pack', image, '--source', 'build', '--config', 'config/ota.config.json', '--verbose'];
  const run = await runCommand(argv, {
    cwd: folder.path,
    env: { OTA_PRIVATE_KEY_DOOR: encrypted, DOOR_PASSPHRASE: 'open sesame' },
  });
  t.is(run.exitCode, 0, run.stderr);
  t.is((await manifestOf(folder)).project, 'door');
  t.true((await folder.read(`${image}.signed`)).equals(signFile(door.bin, keyObject, 'current')));
  t.notRegex(run.stderr, /open sesame|BEGIN/);
  const wrong = await runCommand(argv, {
    cwd: folder.path,
    env: { OTA_PRIVATE_KEY_DOOR: encrypted, DOOR_PASSPHRASE: 'hunter2' },
  });
  t.is(wrong.error?.code, 'KEY_PASSPHRASE_WRONG');
  t.regex(wrong.error?.message ?? '', /OTA_PRIVATE_KEY_DOOR/);
  t.notRegex(`${wrong.stderr}${wrong.error?.message}`, /hunter2|BEGIN/);
});

test('pack finds images by the configured patterns and ignores existing artifacts', async (t) => {
  const config = '{"images": ["build/**/*.bin*"], "compression": "none"}';
  const folder = await builtSketch(t, { 'ota.config.json': config, 'build/data/fs.bin': spiffsImage() });
  for (let round = 0; round < 2; round += 1) {
    const { exitCode, stdout, stderr } = await pack(folder, '--json');
    t.is(exitCode, 0, stderr);
    t.deepEqual(
      JSON.parse(stdout).map((manifest: Manifest) => manifest.image.kind),
      ['filesystem', 'sketch'],
    );
  }
  t.true((await folder.list()).includes('build/data/fs.bin.signed'));
});

test('pack fails without an image or when no image matches the patterns', async (t) => {
  const folder = await builtSketch(t, { 'empty/ota.config.json': '{"images": ["build/*.bin"]}' });
  const unnamed = await pack(folder);
  t.is(unnamed.exitCode, 2);
  t.regex(unnamed.error?.message ?? '', /^`pack` requires an image$/);
  const none = await pack(folder, '--source', 'empty');
  t.is(none.exitCode, 1);
  t.regex(none.error?.message ?? '', /^No image found: nothing in .* matches build\/\*\.bin$/);
});

test('pack --json prints only the manifest on stdout', async (t) => {
  const folder = await builtSketch(t);
  const { stdout } = await pack(folder, image, '--json');
  t.deepEqual(JSON.parse(stdout), JSON.parse(await folder.text(`${image}.ota.json`)));
});

test('pack writes the guard of the configuration into the metadata, or no metadata with --no-metadata', async (t) => {
  const guard = { product: productHash('front door'), securityVersion: 2, require: 'signature' } as const;
  const folder = await builtSketch(t, {
    'ota.config.json': '{"project": "door", "guard": {"product": "front door", "securityVersion": 2}}',
    'door.bin': Buffer.concat([door.bin, guardRecord({ ...guard, keys: [key] })]),
  });
  // The ELF file beside the other image belongs to a build without the guard.
  const { exitCode, stderr } = await pack(folder, 'door.bin');
  t.is(exitCode, 0, stderr);
  const { metadata } = JSON.parse(await folder.text('door.bin.ota.json'));
  t.deepEqual(metadata, { product: 'front door', securityVersion: 2, raw: true });
  const { stdout } = await runCommand(['inspect', 'door.bin.signed'], { cwd: folder.path });
  t.regex(stdout, /^metadata +sketch, security version 2, product [0-9a-f]{16}$/m);

  const plain = await builtSketch(t, { 'ota.config.json': '{"project": "door"}' });
  t.is((await pack(plain, image)).exitCode, 0);
  t.deepEqual((await manifestOf(plain)).metadata, { product: 'door', securityVersion: 0, raw: false });
  for (const [config, ...argv] of [['{"project": "door"}', '--no-metadata'], ['{"metadata": false}']]) {
    const without = await builtSketch(t, { 'ota.config.json': config ?? '' });
    t.is((await pack(without, image, ...argv)).exitCode, 0);
    t.is((await manifestOf(without)).metadata, undefined);
    t.is((await without.read(`${image}.gz`)).readUInt8(3) & 4, 0);
  }
});

test('a product name contains any printable Unicode, and inspect shows the guard of the image', async (t) => {
  const product = '🚪 Haustür · 门';
  const record = guardRecord({ keys: [key], product: productHash(product), securityVersion: 3, require: 'metadata' });
  const bin = Buffer.concat([door.bin, record]);
  const withProduct = (name: string) => {
    const guard = { product: name, securityVersion: 3, require: 'metadata' };
    return builtSketch(t, { 'ota.config.json': JSON.stringify({ guard }), 'door.bin': bin });
  };
  const folder = await withProduct(product);
  const packed = await pack(folder, 'door.bin');
  t.is(packed.exitCode, 0, packed.stderr);
  t.is(JSON.parse(await folder.text('door.bin.ota.json')).metadata.product, product);
  const shown = await runCommand(['inspect', 'door.bin'], { cwd: folder.path });
  t.regex(
    shown.stdout,
    /^guard +accepts 1 key, product [0-9a-f]{16}, security version 3 or higher; requires a signature and metadata$/m,
  );
  const { stdout } = await runCommand(['inspect', 'door.bin', '--json'], { cwd: folder.path });
  t.like(JSON.parse(stdout).guard, { keys: [key.fingerprint], securityVersion: 3, require: 'metadata' });
  for (const name of ['', 'a\u0007b', '\ud800', 'a\u202eb']) {
    const { error } = await pack(await withProduct(name), 'door.bin');
    t.is(error?.code, 'CONFIG_INVALID', JSON.stringify(name));
    t.regex(error?.message ?? '', /guard\.product/);
  }
});

test('pack rejects an image whose guard is missing or differs from the configuration', async (t) => {
  const record = guardRecord({ keys: [key], product: productHash('door'), securityVersion: 2, require: 'signature' });
  const guarded = Buffer.concat([door.bin, record]);
  // The ELF file beside the fixture belongs to a build without the guard.
  const withGuard = (guard: object, bin: Uint8Array = guarded) =>
    builtSketch(t, { 'ota.config.json': JSON.stringify({ guard }), 'door.bin': bin });
  const message = async (guard: object, bin?: Uint8Array) => {
    const { error } = await pack(await withGuard(guard, bin), 'door.bin');
    t.is(error?.code, 'GUARD_STALE');
    return error?.message ?? '';
  };
  t.is((await pack(await withGuard({ product: 'door', securityVersion: 2 }), 'door.bin')).exitCode, 0);
  t.regex(await message({ product: 'door', securityVersion: 2 }, door.bin), /does not contain the guard/);
  t.regex(await message({ product: 'door', securityVersion: 3 }), /differs from the configuration: securityVersion$/);
  t.regex(await message({ product: 'lamp', require: 'metadata' }), /: product, securityVersion, require$/);
});

test('pack rejects options that contradict the guard of the configuration', async (t) => {
  const cases = [
    [{ product: 'door', require: 'metadata' }, '--no-metadata', /^--no-metadata cannot be .*"require": "metadata"/],
    [{ product: 'door' }, '--declare-enforcement', /^--declare-enforcement cannot be combined with "guard"/],
  ] as const;
  for (const [guard, option, message] of cases) {
    const folder = await builtSketch(t, { 'ota.config.json': JSON.stringify({ guard }) });
    const { exitCode, error } = await pack(folder, image, option);
    t.is(exitCode, 2);
    t.is(error?.code, 'OPTIONS_CONFLICT');
    t.regex(error?.message ?? '', message);
    t.false((await folder.list()).includes(`${image}.signed`));
  }
});

test('pack keeps a gzip image compressed, aligns its signed artifact and also creates raw artifacts', async (t) => {
  const name = [...'abcd']
    .map((_, length) => 'x'.repeat(length))
    .find((text) => buildGzip(door.bin, { name: text }).length % 4 === 1);
  const gzip = buildGzip(door.bin, { name: name ?? '', modificationTime: 1_700_000_000 });
  const folder = await builtSketch(t, { [image]: gzip });
  const { exitCode, stderr } = await pack(folder, image, '--legacy');
  t.is(exitCode, 0, stderr);
  const made = ['.legacy_sig', '.ota.json', '.raw', '.raw.signed', '.signed'].map((suffix) => image + suffix);
  t.deepEqual(await folder.list(), [...inputs, ...made].sort());
  t.true((await folder.read(`${image}.raw`)).equals(door.bin));
  t.true((await folder.read(`${image}.raw.signed`)).equals(signFile(door.bin, keyObject, 'current')));
  t.true((await folder.read(image)).equals(gzip));
  const payload = (await folder.read(`${image}.signed`)).subarray(0, -260);
  // The metadata has 30 bytes.
  t.is(payload.length, gzip.length + 31);
  t.true(gunzipSync(payload).equals(door.bin));
  t.true((await folder.read(`${image}.legacy_sig`)).equals(signFile(door.bin, keyObject, 'legacy')));
  t.like(await manifestOf(folder), { enforcement: 'elf', image: { encoding: 'gzip', kind: 'sketch', core: '3.1.2' } });
});

test('pack accepts data after a raw image and inside gzip data, and rejects data after the gzip data', async (t) => {
  const appended = Buffer.from('{"ssid":"workshop"}');
  const withData = Buffer.concat([door.bin, appended]);
  for (const bytes of [withData, gzipSync(withData)]) {
    const folder = await builtSketch(t, { [image]: bytes });
    const { exitCode, stderr } = await pack(folder, image);
    t.is(exitCode, 0, stderr);
    t.like(await manifestOf(folder), { image: { contentBytes: withData.length, sketchSizeBytes: door.bin.length } });
    const check = ['preflight', `${image}.ota.json`, '--core', '3.1.2', '--signing', 'required', '--flash-mode', 'dio'];
    const { stdout } = await runCommand(
      [...check, '--layout', '4m2m', '--transport', 'espota', '--sketch-size', '1M'],
      {
        cwd: folder.path,
      },
    );
    t.regex(stdout, bytes === withData ? /bin\.gz\.signed/ : /bin\.signed/);
  }
  const folder = await builtSketch(t, { [image]: Buffer.concat([gzipSync(door.bin), appended]) });
  const { error } = await pack(folder, image);
  t.is(error?.code, 'UPDATE_BLOCKED');
  t.regex(error?.message ?? '', /19 bytes follow the end of the gzip data/);
  t.regex(error?.hint ?? '', /append the data to the image before the image is compressed/i);
});

test('pack finds the ELF of a .bin.gz image by the name without .bin.gz', async (t) => {
  const folder = await builtSketch(t, { 'build/door.ino.bin.gz': gzipSync(door.bin) });
  await pack(folder, 'build/door.ino.bin.gz');
  t.is((await manifestOf(folder, 'build/door.ino.bin.gz.ota.json')).enforcement, 'elf');
});

test('pack signs a filesystem image without an enforcement proof and signs a compressed one only on request', async (t) => {
  const folder = await builtSketch(t, { 'build/fs.bin': spiffsImage() });
  t.is((await pack(folder, 'build/fs.bin')).exitCode, 0);
  const files = ['build/fs.bin', 'build/fs.bin.gz', 'build/fs.bin.ota.json', 'build/fs.bin.signed'];
  t.deepEqual(await folder.list(), [...inputs, ...files].sort());
  t.like(await manifestOf(folder, 'build/fs.bin.ota.json'), { enforcement: 'unproven', image: { kind: 'filesystem' } });
  t.is((await pack(folder, 'build/fs.bin', '--sign-compressed-filesystem')).exitCode, 0);
  t.deepEqual(await folder.list(), [...inputs, ...files, 'build/fs.bin.gz.signed'].sort());
});

test('pack --kind filesystem accepts an unrecognized image and rejects a sketch image', async (t) => {
  const folder = await builtSketch(t, { 'build/fs.bin': Buffer.alloc(8192, 'no magic') });
  t.is((await pack(folder, 'build/fs.bin')).error?.code, 'IMAGE_NOT_FIRMWARE');
  t.is((await pack(folder, 'build/fs.bin', '--kind', 'filesystem')).exitCode, 0);
  const mistaken = await pack(folder, image, '--kind', 'filesystem');
  t.regex(mistaken.error?.message ?? '', /is not a filesystem image: it is a sketch image$/);
});

test('pack warns about unproven enforcement and records it when there is no ELF', async (t) => {
  const folder = await builtSketch(t, { 'elsewhere/door.bin': door.bin });
  const { exitCode, stderr } = await pack(folder, 'elsewhere/door.bin');
  t.is(exitCode, 0);
  t.regex(stderr, /^warning: elsewhere.door\.bin: nothing shows that the Updater verifies signatures .*--elf$/m);
  t.is((await manifestOf(folder, 'elsewhere/door.bin.ota.json')).enforcement, 'unproven');
  t.is((await pack(folder, 'elsewhere/door.bin', '--elf', 'build/door.ino.elf')).exitCode, 0);
  t.is((await manifestOf(folder, 'elsewhere/door.bin.ota.json')).enforcement, 'elf');
  t.is((await pack(folder, 'elsewhere/door.bin', '--elf', 'build/gone.elf')).exitCode, 2);
});

test('pack records declared enforcement from the option or the configuration', async (t) => {
  const folder = await builtSketch(t, {
    'build/door.ino.elf': elfWithoutVerifier(),
    'ota.config.json': '{"enforcement": "declared"}',
  });
  t.is((await pack(folder, image)).exitCode, 0);
  t.is((await manifestOf(folder)).enforcement, 'declared');
  t.is(
    (await pack(folder, image, '--source', 'build', '--public-key', 'public.key', '--declare-enforcement')).exitCode,
    0,
  );
  t.is((await manifestOf(folder)).enforcement, 'declared');
});

test('pack fails when the image lacks the expected key, and names the keys it contains', async (t) => {
  const other = rsaPems(2048);
  const folder = await builtSketch(t, {
    'private.key': other.privatePem,
    'public.key': other.publicPem,
    ...Object.fromEntries(stale.map((name) => [name, 'stale'])),
  });
  for (const argv of [[], ['--unsigned'], ['--declare-enforcement']]) {
    const { exitCode, error } = await pack(folder, image, ...argv);
    t.is(exitCode, 1);
    t.is(error?.code, 'ENFORCEMENT_KEY_MISSING');
    const expected = readPublicKey(other.publicPem, '').fingerprint.slice(0, 16);
    t.true(error?.message.includes(`does not contain the public key ${expected}`));
    t.true(error?.message.includes(`, but ${key.fingerprint.slice(0, 16)}…:`));
    t.regex(error?.hint ?? '', /reaches the compiler.*ESP8266WiFi/);
    t.deepEqual(await folder.list(), inputs);
  }
});

test('pack fails when the ELF lacks the verifier, even if the image contains the key', async (t) => {
  const folder = await builtSketch(t, { 'build/door.ino.elf': elfWithoutVerifier(), [`${image}.signed`]: 'stale' });
  const { exitCode, error } = await pack(folder, image);
  t.is(exitCode, 1);
  t.is(error?.code, 'ENFORCEMENT_VERIFIER_MISSING');
  t.regex(error?.message ?? '', /according to .*door\.ino\.elf the Updater does not use the key/);
  t.regex(error?.hint ?? '', /ota-hooks build.*core cache.*--build-path.*installSignature/);
  t.deepEqual(await folder.list(), inputs);
});

test('pack lists other public keys in the image without rejecting the image', async (t) => {
  const pin = readPublicKey(rsaPems(2048).publicPem, '');
  const filesystem = Buffer.from(spiffsImage());
  filesystem.write(pin.pem, 5000, 'latin1');
  const folder = await builtSketch(t, { 'build/fs.bin': filesystem });
  t.is((await pack(folder, 'build/fs.bin')).exitCode, 0);
  t.deepEqual((await manifestOf(folder, 'build/fs.bin.ota.json')).embeddedKeys, [pin.fingerprint]);
});

test('pack rejects a file that is not firmware and removes stale artifacts', async (t) => {
  const cases: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['empty', '', /is empty$/],
    ['text', 'hello', /is not an ESP8266 firmware image: /],
    ['only eboot', door.bin.subarray(0, 4096), /is not an ESP8266 firmware image: /],
    ['signed already', signFile(door.bin, keyObject, 'current'), /cannot be packed: it is already signed$/],
    ['gzip, cut', gzipSync(door.bin).subarray(0, 1000), /is not an ESP8266 firmware image: /],
    ['gzip of text', gzipSync('hello'), /is not an ESP8266 firmware image: /],
    ['gzip of gzip', gzipSync(gzipSync(door.bin)), /is not an ESP8266 firmware image: /],
    ['an ELF', door.elf, /is not an ESP8266 firmware image: /],
  ];
  for (const [what, content, expected] of cases) {
    const folder = await builtSketch(t, {
      ...Object.fromEntries(stale.map((name) => [name, 'stale'])),
      [image]: content,
    });
    const { exitCode, error } = await pack(folder, image);
    t.is(exitCode, 1, what);
    t.regex(error?.message ?? '', expected, what);
    t.truthy(error?.hint, what);
    t.deepEqual(await folder.list(), inputs, what);
  }
});

test('pack blocks damaged firmware with exit code 3', async (t) => {
  const flipped = Buffer.from(door.bin);
  flipped.writeUInt8(flipped.readUInt8(0x2000) ^ 1, 0x2000);
  const cases: Readonly<Record<string, Uint8Array>> = {
    cut: door.bin.subarray(0, 10_000),
    'one bit flipped': flipped,
    'one bit flipped, in gzip': gzipSync(flipped),
    'two gzip members': Buffer.concat([gzipSync(door.bin), gzipSync(door.bin)]),
  };
  for (const [what, content] of Object.entries(cases)) {
    const folder = await builtSketch(t, {
      ...Object.fromEntries(stale.map((name) => [name, 'stale'])),
      [image]: content,
    });
    const { exitCode, error } = await pack(folder, image);
    t.is(error?.code, 'UPDATE_BLOCKED', what);
    t.is(exitCode, 3, what);
    t.truthy(error?.hint, what);
    t.deepEqual(await folder.list(), inputs, what);
  }
});

test('pack removes artifacts and temporary files after key and configuration errors', async (t) => {
  const rubbish = {
    ...Object.fromEntries(stale.map((name) => [name, 'stale'])),
    'build/.door.ino.bin.gz.signed.0badcafe.tmp': 'half',
  };
  const cases: readonly (readonly [Record<string, string>, readonly string[], number, string])[] = [
    [{ 'private.key': '' }, [], 1, 'KEY_EMPTY'],
    [{ 'private.key': 'garbage' }, [], 1, 'KEY_GARBLED'],
    [{ 'private.key': door.publicPem }, [], 1, 'KEY_IS_PUBLIC'],
    [{ 'public.key': door.privatePem }, [], 1, 'KEY_IS_PRIVATE'],
    [{ 'private.key': rsaPems().privatePem }, [], 1, 'KEYS_DONT_MATCH'],
    [{}, ['--private-key', 'gone.key'], 2, 'KEY_NOT_FOUND'],
    [{}, ['--passphrase-env', 'VERSION_NOT_SET'], 2, 'SECRET_MISSING'],
    [{ 'ota.config.json': '{"legacy": "yes"}' }, [], 2, 'CONFIG_INVALID'],
    [{ 'ota.config.json': '{"version": {"env": "VERSION_NOT_SET"}}' }, [], 2, 'SECRET_MISSING'],
    [{ 'ota.config.json': '{' }, [], 2, 'CONFIG_UNREADABLE'],
    [{}, ['--config', 'gone.json'], 2, 'CONFIG_NOT_FOUND'],
    [{}, ['--source', 'gone'], 2, 'FILE_NOT_FOUND'],
  ];
  for (const [files, argv, exitCode, code] of cases) {
    const folder = await builtSketch(t, { ...rubbish, ...files });
    const run = await pack(folder, image, ...argv);
    t.is(run.error?.code, code as never);
    t.is(run.exitCode, exitCode, code);
    t.deepEqual(await folder.list(), [...new Set([...inputs, ...Object.keys(files)])].sort(), code);
  }
});

test('pack removes the artifacts of a missing image', async (t) => {
  const folder = await builtSketch(t, { 'build/old.bin.signed': 'stale', 'build/old.bin.ota.json': 'stale' });
  const { exitCode, error } = await pack(folder, 'build/old.bin');
  t.is(exitCode, 2);
  t.is(error?.message, `Image not found: ${folder.at('build/old.bin')}`);
  t.deepEqual(await folder.list(), inputs);
});

test('pack names both key files when the keys do not match', async (t) => {
  const folder = await builtSketch(t, { 'private.key': rsaPems(2048).privatePem });
  const { error } = await pack(folder, image);
  t.is(error?.message, 'The keys do not match: private.key is not the private key for public.key');
});

test('pack removes all written artifacts when one cannot be written', async (t) => {
  const folder = await builtSketch(t, { [`${image}.gz.signed/in the way`]: '' });
  const { exitCode, error } = await pack(folder, image);
  t.is(exitCode, 1);
  t.regex(error?.message ?? '', /door\.ino\.bin\.gz\.signed could not be written: it is a folder/);
  t.deepEqual(await folder.list(), [
    image,
    `${image}.gz.signed/in the way`,
    'build/door.ino.elf',
    'private.key',
    'public.key',
  ]);
});

test('pack records the source commit in the manifest', async (t) => {
  const commit = 'c0ffee'.padEnd(40, '0');
  const folder = await builtSketch(t, { '.git/HEAD': `${commit}\n`, '.git/objects/.keep': '' });
  t.is((await runCommand(['pack', image], { cwd: folder.path })).exitCode, 0);
  t.is((await manifestOf(folder)).sourceCommit, commit);
});

test('the manifest names the run of the build server as the builder, or local', async (t) => {
  const folder = await builtSketch(t);
  const builderWith = async (env: Readonly<Record<string, string>>) => {
    t.is((await runCommand(['pack', image], { cwd: folder.path, env })).error, undefined);
    return (await manifestOf(folder)).builder;
  };
  const github = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'ada/door', GITHUB_RUN_ID: '17' };
  t.is(await builderWith(github), 'https://github.com/ada/door/actions/runs/17');
  t.is(
    await builderWith({ CI_JOB_URL: 'https://gitlab.com/ada/door/-/jobs/5' }),
    'https://gitlab.com/ada/door/-/jobs/5',
  );
  t.is(await builderWith({}), 'local');
});
