import { chmod, mkdir, stat, symlink } from 'node:fs/promises';
import test from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import {
  createPrivateKeyFile,
  createPublicKeyFile,
  keySizeWarnings,
  loadPrivateKey,
  loadPublicKey,
  privateKeyWarnings,
} from '../../../src/project/keys/key-files.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { testFolder } from '../../support/test-folder.ts';

const { privatePem, publicPem } = rsaPems();
const onWindows = process.platform === 'win32';

test('createPrivateKeyFile restricts the file to its owner, and createPublicKeyFile lets all users read it', async (t) => {
  const folder = await testFolder(t);
  await createPrivateKeyFile(folder.at('private.key'), privatePem);
  await createPublicKeyFile(folder.at('public.key'), publicPem);
  t.is(
    (await loadPrivateKey(folder.at('private.key'))).publicKey.pem,
    (await loadPublicKey(folder.at('public.key'))).pem,
  );
  if (onWindows) return;
  t.is((await stat(folder.at('private.key'))).mode & 0o777, 0o600);
  t.is((await stat(folder.at('public.key'))).mode & 0o777 & ~process.umask(), 0o644 & ~process.umask());
});

test('createPrivateKeyFile never overwrites a file, not even an empty one or a dangling link', async (t) => {
  const folder = await testFolder(t, { 'private.key': 'precious', 'empty.key': '' });
  await symlink(folder.at('nowhere'), folder.at('link.key'));
  for (const name of ['private.key', 'empty.key', 'link.key']) {
    const error = await expectOtaError(t, 'FILE_EXISTS', () => createPrivateKeyFile(folder.at(name), privatePem));
    t.is(error.exitCode, 1);
  }
  t.is(await folder.text('private.key'), 'precious');
  t.deepEqual(await folder.list(), ['empty.key', 'link.key', 'private.key']);
});

test('createPrivateKeyFile reports a missing folder and a file in place of a folder', async (t) => {
  const folder = await testFolder(t, { file: '' });
  await expectOtaError(t, 'FOLDER_MISSING', () => createPrivateKeyFile(folder.at('missing/private.key'), privatePem));
  const error = await expectOtaError(t, 'FILE_UNWRITABLE', () =>
    createPrivateKeyFile(folder.at('file/private.key'), privatePem),
  );
  t.regex(error.message, /part of the path is a file, not a folder \(ENOTDIR\)/);
});

test('loadPrivateKey and loadPublicKey report a missing key without suggesting a new pair', async (t) => {
  const folder = await testFolder(t, { file: '' });
  for (const name of ['none.key', 'none/private.key', 'file/private.key']) {
    const error = await expectOtaError(t, 'KEY_NOT_FOUND', () => loadPrivateKey(folder.at(name)));
    t.is(error.exitCode, 2);
    t.is(error.message, `Private key not found: ${folder.at(name)}`);
    t.notRegex(error.hint, /keygen/);
  }
  await expectOtaError(t, 'KEY_NOT_FOUND', () => loadPublicKey(folder.at('none.key')));
});

test('loadPrivateKey reports a folder in place of a key', async (t) => {
  const folder = await testFolder(t);
  await mkdir(folder.at('private.key'));
  const error = await expectOtaError(t, 'FILE_UNREADABLE', () => loadPrivateKey(folder.at('private.key')));
  t.regex(error.message, /it is a folder \(EISDIR\)/);
});

(onWindows ? test.skip : test)(
  'privateKeyWarnings warns about a private key that other users can access',
  async (t) => {
    const { privatePem: pem } = rsaPems(2048);
    const folder = await testFolder(t, { 'private.key': pem });
    const warningsOf = async (path: string) =>
      privateKeyWarnings(path, (await loadPrivateKey(path)).publicKey, 'private.key');
    for (const mode of [0o644, 0o640, 0o604, 0o620, 0o660]) {
      await chmod(folder.at('private.key'), mode);
      const warnings = await warningsOf(folder.at('private.key'));
      t.is(warnings.length, 1);
      t.regex(warnings[0] ?? '', /private\.key is accessible to other users of this machine; run chmod 600/);
    }
    for (const mode of [0o600, 0o400]) {
      await chmod(folder.at('private.key'), mode);
      t.deepEqual(await warningsOf(folder.at('private.key')), []);
    }
  },
);

test('keySizeWarnings warns about keys below 2048 bits and unaligned signature sizes', (t) => {
  const warningsOf = (bits: number) => keySizeWarnings(readPublicKey(rsaPems(bits).publicPem, ''), 'public.key');
  t.deepEqual(warningsOf(2048), []);
  t.deepEqual(warningsOf(1024), ['public.key has 1024 bits; keys smaller than 2048 bits can be broken']);
  t.is(warningsOf(1032).length, 2);
  t.regex(warningsOf(2056)[0] ?? '', /core 3\.1\.0 to 3\.1\.2 reject/);
});
