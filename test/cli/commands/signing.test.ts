import { createPrivateKey } from 'node:crypto';
import test from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { signingHeader, unsignedHeader } from '../../../src/core/keys/signing-header.ts';
import type { ErrorCode } from '../../../src/errors/ota-error.ts';
import { rsaPems, wrongKinds } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { signFile } from '../../support/signed-file.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const { privatePem, publicPem } = rsaPems(2048);
const keyObject = createPrivateKey(privatePem);
const image = Buffer.alloc(4096, 'image');

/** `header` and `sign` run the two command lines from platform.txt in the ESP8266 core. */
function header(folder: TestFolder, publicKey = folder.at('public.key')) {
  const argv = ['signing', '--mode', 'header', '--publickey', publicKey, '--out', folder.at('core/Updater_Signing.h')];
  return runCommand(argv, { cwd: folder.path });
}

function sign(folder: TestFolder, ...more: string[]) {
  const files = [
    '--privatekey',
    folder.at('private.key'),
    '--bin',
    folder.at('door.bin'),
    '--out',
    folder.at('door.bin.signed'),
  ];
  return runCommand(['signing', '--mode', 'sign', ...files, '--legacy', folder.at('door.bin.legacy_sig'), ...more], {
    cwd: folder.path,
  });
}

test('signing writes a header and prints the same message as signing.py', async (t) => {
  const folder = await testFolder(t, { 'public.key': publicPem });
  const { exitCode, stdout, stderr } = await header(folder);
  t.is(exitCode, 0);
  t.is(stdout, '');
  t.is(stderr, 'Enabling binary signing\n');
  t.is(await folder.text('core/Updater_Signing.h'), signingHeader(readPublicKey(publicPem, '')));
});

test('signing writes an unsigned header without a message when there is no public key', async (t) => {
  const folder = await testFolder(t);
  const { exitCode, stderr } = await header(folder);
  t.is(exitCode, 0);
  t.is(stderr, '');
  t.is(await folder.text('core/Updater_Signing.h'), unsignedHeader());
});

test('signing fails the build and removes the header when the public key is invalid', async (t) => {
  for (const bad of ['', 'garbage', privatePem, wrongKinds().EC.publicPem]) {
    const folder = await testFolder(t, { 'public.key': bad, 'core/Updater_Signing.h': 'stale' });
    const { exitCode, stderr } = await header(folder);
    t.is(exitCode, 1);
    t.is(stderr, 'Not enabling binary signing\n');
    t.deepEqual(await folder.list(), ['public.key']);
  }
});

test('signing signs in both formats and prints the same messages as signing.py', async (t) => {
  const folder = await testFolder(t, { 'door.bin': image });
  await folder.write('private.key', privatePem);
  const { exitCode, stdout, stderr } = await sign(folder);
  t.is(exitCode, 0);
  t.is(stdout, '');
  const words = [
    `Signed binary: ${folder.at('door.bin.signed')}`,
    `Legacy signed binary: ${folder.at('door.bin.legacy_sig')}`,
  ];
  t.true(stderr.endsWith(`${words.join('\n')}\n`), stderr);
  t.true((await folder.read('door.bin.signed')).equals(signFile(image, keyObject, 'current')));
  t.true((await folder.read('door.bin.legacy_sig')).equals(signFile(image, keyObject, 'legacy')));
});

test('signing accepts short options and prints relative paths unchanged', async (t) => {
  const folder = await testFolder(t, { 'door.bin': image, 'private.key': privatePem, 'public.key': publicPem });
  const world = { cwd: folder.path };
  t.is(
    (await runCommand(['signing', '-m', 'header', '-p', 'public.key', '-o', 'core/Updater_Signing.h'], world)).exitCode,
    0,
  );
  const { stderr } = await runCommand(
    ['signing', '-m', 'sign', '-s', 'private.key', '-b', 'door.bin', '-o', 'a', '-l', 'b'],
    world,
  );
  t.true(stderr.endsWith('Signed binary: a\nLegacy signed binary: b\n'), stderr);
  t.deepEqual(await folder.list(), ['a', 'b', 'core/Updater_Signing.h', 'door.bin', 'private.key', 'public.key']);
});

test('signing without a private key skips signing, removes stale outputs and exits with 0', async (t) => {
  const folder = await testFolder(t, { 'door.bin': image, 'door.bin.signed': 'stale', 'door.bin.legacy_sig': 'stale' });
  const { exitCode, stderr } = await sign(folder);
  t.is(exitCode, 0);
  t.is(stderr, 'Not signing the generated binary\n');
  t.deepEqual(await folder.list(), ['door.bin']);
});

test('signing fails the build and removes stale outputs on an error, unlike signing.py', async (t) => {
  const stale = { 'door.bin.signed': 'stale', 'door.bin.legacy_sig': 'stale' };
  const cases: readonly (readonly [Record<string, string | Uint8Array>, number, ErrorCode])[] = [
    [{ 'private.key': '', 'door.bin': image }, 1, 'KEY_EMPTY'],
    [{ 'private.key': 'garbage', 'door.bin': image }, 1, 'KEY_GARBLED'],
    [{ 'private.key': publicPem, 'door.bin': image }, 1, 'KEY_IS_PUBLIC'],
    [{ 'private.key': wrongKinds().EC.privatePem, 'door.bin': image }, 1, 'KEY_WRONG_TYPE'],
    [{ 'private.key': privatePem }, 2, 'FILE_NOT_FOUND'],
    [{ 'private.key': privatePem, 'door.bin': '' }, 1, 'IMAGE_EMPTY'],
  ];
  for (const [files, exitCode, code] of cases) {
    const folder = await testFolder(t, { ...files, ...stale });
    const run = await sign(folder);
    t.is(run.exitCode, exitCode, code);
    t.is(run.error?.code, code);
    t.regex(run.stderr, /Not signing the generated binary\n$/);
    t.deepEqual(await folder.list(), Object.keys(files).sort());
  }
});

test('signing removes the first output when the second cannot be written', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin': image });
  const { exitCode } = await sign(folder, '--legacy', folder.at('missing/old.bin'));
  t.is(exitCode, 1);
  t.deepEqual(await folder.list(), ['door.bin', 'private.key']);
});

test('signing can replace the binary but not the private key', async (t) => {
  const folder = await testFolder(t, { 'private.key': privatePem, 'door.bin': image });
  t.is((await sign(folder, '--out', folder.at('door.bin'))).exitCode, 0);
  t.true((await folder.read('door.bin')).equals(signFile(image, keyObject, 'current')));
  t.is((await sign(folder, '--out', folder.at('private.key'))).exitCode, 2);
  t.is(await folder.text('private.key'), privatePem);
});

test('signing rejects a missing or unknown mode', async (t) => {
  const folder = await testFolder(t);
  for (const [argv, message] of [
    [[], '`signing` requires --mode header or --mode sign'],
    [['--mode', 'both'], '--mode both: must be header or sign'],
  ] as const) {
    const { exitCode, error } = await runCommand(['signing', ...argv], { cwd: folder.path });
    t.is(exitCode, 2);
    t.is(error?.message, message);
  }
  t.is((await runCommand(['signing', '--mode', 'sign', '--bin', 'x'], { cwd: folder.path })).exitCode, 2);
  t.is((await runCommand(['signing', '--mode', 'header'], { cwd: folder.path })).exitCode, 2);
});
