import { createPrivateKey } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import test from 'ava';
import { deviceVerdict } from '../../../src/core/firmware/device-verdict.ts';
import { withRawMetadata } from '../../../src/core/firmware/update-metadata.ts';
import { guardRecord, productHash } from '../../../src/core/keys/guard-record.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { rawArtifactMetadata } from '../../../src/core/preflight/expected-metadata.ts';
import type { ErrorCode } from '../../../src/errors/ota-error.ts';
import { buildGzip } from '../../support/gzip-builder.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { signFile } from '../../support/signed-file.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const { privatePem, publicPem } = rsaPems(2048);
const keyObject = createPrivateKey(privatePem);
const key = readPublicKey(publicPem, 'public.key');
const image = Buffer.alloc(5003, 'any file that is not empty');

function sign(folder: TestFolder, ...argv: string[]) {
  return runCommand(['sign', '--private-key', 'private.key', ...argv], { cwd: folder.path });
}

test('sign writes the signed file beside any input file and prints its path', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem, 'build/notes.txt': image });
  const { exitCode, stdout, stderr } = await sign(folder, '--bin', 'build/notes.txt');
  t.is(exitCode, 0);
  t.is(stdout, '');
  t.true(stderr.endsWith('Signed binary: build/notes.txt.signed\n'), stderr);
  t.true((await folder.read('build/notes.txt.signed')).equals(signFile(image, keyObject, 'current')));
  t.deepEqual(await folder.list(), ['build/notes.txt', 'build/notes.txt.signed', 'private.key']);
});

test('sign compresses on request and signs the compressed file, padded to a multiple of 4', async (t) => {
  for (const argv of [['--gzip'], ['--compression', 'gzip'], ['--compression', 'zopfli']]) {
    const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin': image });
    t.is((await sign(folder, '--bin', 'door.bin', ...argv)).exitCode, 0);
    const signed = await folder.read('door.bin.gz.signed');
    const payload = signed.subarray(0, -260);
    t.is(payload.length % 4, 0);
    t.deepEqual(gunzipSync(payload), image);
    t.deepEqual(deviceVerdict(signed, key, 'current'), { accepted: true });
    t.false((await folder.list()).includes('door.bin.signed'));
  }
});

test('sign and signing warn of a file that the guard would reject for lack of metadata', async (t) => {
  const product = productHash('door');
  const withGuard = (require: 'signature' | 'metadata') =>
    Buffer.concat([image.subarray(0, 5000), guardRecord({ keys: [key], product, securityVersion: 0, require })]);
  const metadata = { kind: 'sketch', content: withGuard('metadata') } as const;
  const folder = await testFolder(t, {
    'private.key': privatePem,
    'public.key': publicPem,
    'strict.bin': withGuard('metadata'),
    'marked.bin': withRawMetadata(
      withGuard('metadata'),
      rawArtifactMetadata(metadata, { product: 'door', securityVersion: 0, raw: true }),
    ),
    'lenient.bin': withGuard('signature'),
    'files.bin': image,
  });
  const warning = /^warning: .*: the guard requires metadata, and this file has none/m;
  t.regex((await sign(folder, '--bin', 'strict.bin')).stderr, warning);
  t.regex((await sign(folder, '--bin', 'strict.bin', '--gzip')).stderr, warning);
  t.notRegex((await sign(folder, '--bin', 'marked.bin')).stderr, warning);
  t.notRegex((await sign(folder, '--bin', 'lenient.bin')).stderr, warning);
  const signing = (bin: string) =>
    runCommand(['signing', '-m', 'sign', '-s', 'private.key', '-b', bin, '-o', `${bin}.signed`], { cwd: folder.path });
  t.regex((await signing('strict.bin')).stderr, warning);
  t.notRegex((await signing('lenient.bin')).stderr, warning);

  // A filesystem contains no guard, but its project has one.
  const signFiles = () => runCommand(['sign', '--bin', 'files.bin'], { cwd: folder.path });
  t.notRegex((await signFiles()).stderr, warning);
  await folder.write('ota.config.json', '{"guard": {"product": "door", "require": "metadata"}}');
  t.regex((await signFiles()).stderr, warning);
});

test('sign --legacy signs the raw image in the legacy format', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin': image });
  const { stderr } = await sign(folder, '--bin', 'door.bin', '--gzip', '--out', 'new.bin', '--legacy', 'old.bin');
  t.regex(stderr, /^Signed binary: .*new\.bin$/m);
  t.regex(stderr, /^Legacy signed binary: .*old\.bin$/m);
  t.true((await folder.read('old.bin')).equals(signFile(image, keyObject, 'legacy')));
  t.deepEqual(deviceVerdict(await folder.read('new.bin'), key, 'current'), { accepted: true });
});

test('sign pads a gzip file without decompressing it, and --legacy signs the uncompressed content', async (t) => {
  const gzip = buildGzip(image, { name: 'door.bin', headerCrc: true });
  const odd = gzip.length % 4 === 0 ? buildGzip(image, { name: 'doors.bin', headerCrc: true }) : gzip;
  for (const argv of [[], ['--gzip']]) {
    const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin.gz': odd });
    t.is((await sign(folder, '--bin', 'door.bin.gz', '--legacy', 'old.bin', ...argv)).exitCode, 0);
    const payload = (await folder.read('door.bin.gz.signed')).subarray(0, -260);
    t.is(payload.length % 4, 0);
    t.deepEqual(gunzipSync(payload), image);
    t.deepEqual((await folder.read('door.bin.gz')).equals(odd), true);
    t.true((await folder.read('old.bin')).equals(signFile(image, keyObject, 'legacy')));
    t.deepEqual(await folder.list(), ['door.bin.gz', 'door.bin.gz.signed', 'old.bin', 'private.key']);
  }
});

test('sign treats a file with only the gzip magic bytes as uncompressed', async (t) => {
  const odd = Buffer.from([0x1f, 0x8b, 0xff, 0xff, 1, 2, 3]);
  const folder = await testFolder(t, { 'private.key': privatePem, 'odd.bin': odd });
  t.is((await sign(folder, '--bin', 'odd.bin')).exitCode, 0);
  t.true((await folder.read('odd.bin.signed')).equals(signFile(odd, keyObject, 'current')));
});

test('sign can replace its input file', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin': image });
  t.is((await sign(folder, '--bin', 'door.bin', '--out', 'door.bin')).exitCode, 0);
  t.true((await folder.read('door.bin')).equals(signFile(image, keyObject, 'current')));
});

test('sign reads the passphrase from the environment and never prints it', async (t) => {
  const passphrase = 'open sesame';
  const encrypted = keyObject.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
  const folder = await testFolder(t, { 'private.key': encrypted, 'door.bin': image });
  const argv = [
    'sign',
    '--private-key',
    'private.key',
    '--passphrase-env',
    'DOOR_KEY',
    '--bin',
    'door.bin',
    '--verbose',
  ];
  const good = await runCommand(argv, { cwd: folder.path, env: { DOOR_KEY: passphrase } });
  t.is(good.exitCode, 0);
  t.true((await folder.read('door.bin.signed')).equals(signFile(image, keyObject, 'current')));
  const wrong = await runCommand(argv, { cwd: folder.path, env: { DOOR_KEY: 'hunter2' } });
  t.is(wrong.error?.code, 'KEY_PASSPHRASE_WRONG');
  const none = await runCommand(argv, { cwd: folder.path });
  t.is(none.error?.code, 'SECRET_MISSING');
  t.is(none.exitCode, 2);
  for (const { stdout, stderr, error } of [good, wrong, none]) {
    t.notRegex(`${stdout}${stderr}${error?.message}${error?.hint}`, /open sesame|hunter2/);
  }
  t.deepEqual(await folder.list(), ['door.bin', 'private.key']);
});

test('sign --json prints one document, and --quiet prints no message', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin': image });
  const json = await sign(folder, '--bin', 'door.bin', '--legacy', 'old.bin', '--json');
  t.deepEqual(JSON.parse(json.stdout), {
    signed: folder.at('door.bin.signed'),
    legacy: folder.at('old.bin'),
    fingerprint: key.fingerprint,
  });
  const quiet = await sign(folder, '--bin', 'door.bin', '--quiet');
  t.is(quiet.stdout, '');
  t.notRegex(quiet.stderr, /Signed binary/);
});

test('sign removes the outputs of current and earlier runs after a failure', async (t) => {
  const stale = { 'door.bin.signed': 'stale', 'old.bin': 'stale', '.door.bin.signed.0badcafe.tmp': 'half' };
  const cases: readonly (readonly [Record<string, string | Uint8Array>, number, ErrorCode])[] = [
    [{ 'private.key': privatePem }, 2, 'FILE_NOT_FOUND'],
    [{ 'private.key': privatePem, 'door.bin': '' }, 1, 'IMAGE_EMPTY'],
    [{ 'door.bin': image }, 2, 'KEY_NOT_FOUND'],
    [{ 'private.key': publicPem, 'door.bin': image }, 1, 'KEY_IS_PUBLIC'],
    [{ 'private.key': privatePem, 'door.bin/x': image }, 1, 'FILE_UNREADABLE'],
  ];
  for (const [files, exitCode, code] of cases) {
    const folder = await testFolder(t, { ...files, ...stale });
    const run = await sign(folder, '--bin', 'door.bin', '--legacy', 'old.bin');
    t.is(run.exitCode, exitCode, code);
    t.is(run.error?.code, code);
    t.deepEqual(await folder.list(), Object.keys(files).sort());
  }
});

test('sign removes the signed file when the legacy file cannot be written', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin': image });
  const { exitCode, stderr } = await sign(folder, '--bin', 'door.bin', '--legacy', 'missing/old.bin');
  t.is(exitCode, 1);
  t.notRegex(stderr, /Signed binary/);
  t.deepEqual(await folder.list(), ['door.bin', 'private.key']);
});

test('sign rejects outputs that overwrite the private key or each other', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin': image });
  for (const argv of [
    ['--out', 'private.key'],
    ['--legacy', './private.key'],
    ['--out', 'a', '--legacy', 'a'],
  ]) {
    const { exitCode, error } = await sign(folder, '--bin', 'door.bin', ...argv);
    t.is(exitCode, 2);
    t.regex(error?.message ?? '', /two options name this file$/);
  }
  t.is(await folder.text('private.key'), privatePem);
  t.deepEqual(await folder.list(), ['door.bin', 'private.key']);
});

test('sign reports missing and conflicting options', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin': image });
  const noFile = await sign(folder);
  t.is(noFile.exitCode, 2);
  t.regex(noFile.error?.message ?? '', /requires --bin FILE or --manifest FILE/);
  const bare = await testFolder(t, { 'door.bin': image });
  const noKey = await runCommand(['sign', '--bin', 'door.bin'], { cwd: bare.path });
  t.is(noKey.exitCode, 2);
  t.regex(noKey.error?.message ?? '', /requires --private-key FILE/);
  const both = await sign(folder, '--bin', 'door.bin', '--manifest', 'door.bin.ota.json');
  t.is(both.exitCode, 2);
  t.regex(both.error?.message ?? '', /cannot be used with option/);
  t.is((await sign(folder, '--bin', 'door.bin', '--compression', 'lzma')).exitCode, 2);
});

test('sign warns about small keys and key files that other users can read, even with --quiet', async (t) => {
  const folder = await testFolder(t, { 'private.key': rsaPems(1024).privatePem, 'door.bin': image });
  const { exitCode, stderr } = await sign(folder, '--bin', 'door.bin', '--quiet');
  t.is(exitCode, 0);
  t.regex(stderr, /^warning: private\.key has 1024 bits; keys smaller than 2048 bits can be broken/m);
  if (process.platform !== 'win32') t.regex(stderr, /^warning: private\.key is accessible to other users/m);
});

test('sign without --private-key uses the configured key or the key beside the sketch', async (t) => {
  const folder = await testFolder(t);
  await runCommand(['keygen', '--private-key', 'door.key', '--public-key', 'door.pub'], { cwd: folder.path });
  await folder.write('a.bin', 'some bytes');
  const sign = (...argv: string[]) => runCommand(['sign', '--bin', 'a.bin', ...argv], { cwd: folder.path });
  t.is((await sign()).error?.code, 'KEY_MISSING_FOR');
  await folder.write('ci.json', JSON.stringify({ privateKey: 'door.key' }));
  t.is((await sign('--config', 'ci.json')).error, undefined);
  const signed = await folder.read('a.bin.signed');
  t.is((await sign('--private-key', 'door.key')).error, undefined);
  t.deepEqual(await folder.read('a.bin.signed'), signed);

  await folder.write('project/private.key', await folder.read('door.key'));
  t.is((await sign('--source', 'project', '--out', 'b.signed')).error, undefined);
  t.deepEqual(await folder.read('b.signed'), signed);

  t.is((await sign('--config', 'ci.json', '--out', 'door.key')).error?.code, 'OUTPUT_CONFLICT');
  await folder.write('ci.json', '{ "privateKye": 1 }');
  t.is((await sign('--config', 'ci.json')).error?.exitCode, 2);
  t.false((await folder.list()).includes('a.bin.signed'), 'the output of the earlier run was removed');
});

test('sign rejects a compressed or uncompressed file that contains the private key used for signing', async (t) => {
  const leaking = Buffer.concat([image, Buffer.from(privatePem)]);
  const folder = await testFolder(t, {
    'private.key': privatePem,
    'a.bin': leaking,
    'b.bin.gz': gzipSync(leaking),
    'c.bin': Buffer.concat([image, Buffer.from(rsaPems().privatePem)]),
  });
  for (const argv of [
    ['--bin', 'a.bin'],
    ['--bin', 'a.bin', '--gzip'],
    ['--bin', 'b.bin.gz'],
  ]) {
    t.is((await sign(folder, ...argv)).error?.code, 'PRIVATE_KEY_INSIDE', argv.join(' '));
  }
  t.deepEqual(await folder.list(), ['a.bin', 'b.bin.gz', 'c.bin', 'private.key']);
  t.is(
    (await sign(folder, '--bin', 'c.bin')).error,
    undefined,
    'an image may contain a different private key, such as a TLS key',
  );
});
