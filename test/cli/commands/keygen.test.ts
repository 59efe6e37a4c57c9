import { stat } from 'node:fs/promises';
import test from 'ava';
import { loadPrivateKey, loadPublicKey } from '../../../src/project/keys/key-files.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

test('keygen writes a 2048-bit key pair beside the sketch and prints its fingerprint', async (t) => {
  const folder = await testFolder(t);
  const { exitCode, stdout, stderr } = await runCommand(['keygen'], { cwd: folder.path });
  t.is(exitCode, 0);
  t.is(stdout, '');
  t.deepEqual(await folder.list(), ['private.key', 'public.key']);
  const key = await loadPublicKey(folder.at('public.key'));
  t.is(key.bits, 2048);
  t.is((await loadPrivateKey(folder.at('private.key'))).publicKey.fingerprint, key.fingerprint);
  t.true(stderr.includes(key.fingerprint));
  t.false(stderr.includes('warning'));
  if (process.platform !== 'win32') t.is((await stat(folder.at('private.key'))).mode & 0o777, 0o600);
});

test('keygen accepts other sizes and paths and warns about small keys', async (t) => {
  const folder = await testFolder(t, { 'secrets/.keep': '' });
  const argv = ['keygen', '--bits', '1024', '--private-key', 'secrets/door.key', '--public-key', 'door.pub', '--json'];
  const { exitCode, stdout, stderr } = await runCommand(argv, { cwd: folder.path });
  t.is(exitCode, 0);
  const { fingerprint } = await loadPublicKey(folder.at('door.pub'));
  t.deepEqual(JSON.parse(stdout), {
    privateKey: folder.at('secrets/door.key'),
    publicKey: folder.at('door.pub'),
    bits: 1024,
    fingerprint,
    encrypted: false,
  });
  t.regex(stderr, /^warning: secrets.door\.key has 1024 bits/);
});

test('keygen never overwrites a key and leaves no incomplete pair behind', async (t) => {
  for (const name of ['private.key', 'public.key']) {
    const folder = await testFolder(t, { [name]: 'precious' });
    const { exitCode, error } = await runCommand(['keygen'], { cwd: folder.path });
    t.is(exitCode, 1);
    t.is(error?.code, 'FILE_EXISTS');
    t.deepEqual(await folder.list(), [name]);
    t.is(await folder.text(name), 'precious');
  }
});

test('keygen removes the private key when the public key cannot be written', async (t) => {
  const folder = await testFolder(t, { file: '' });
  for (const publicKey of ['missing/public.key', 'file/public.key']) {
    const { exitCode, error } = await runCommand(['keygen', '--bits', '1024', '--public-key', publicKey], {
      cwd: folder.path,
    });
    t.is(exitCode, 1);
    t.truthy(error?.hint);
    t.deepEqual(await folder.list(), ['file']);
  }
});

test('keygen rejects unsupported key sizes and the same path for both keys', async (t) => {
  const folder = await testFolder(t);
  for (const argv of [
    ['--bits', '512'],
    ['--bits', '8192'],
    ['--bits', 'many'],
    ['--bits', ''],
    ['--bits', '1024', '--private-key', 'door.key', '--public-key', './door.key'],
  ]) {
    const { exitCode } = await runCommand(['keygen', ...argv], { cwd: folder.path });
    t.is(exitCode, 2, argv.join(' '));
  }
  t.deepEqual(await folder.list(), []);
});

test('keygen never prints any part of the private key', async (t) => {
  const folder = await testFolder(t);
  const { stdout, stderr } = await runCommand(['keygen', '--bits', '1024', '--verbose', '--json'], {
    cwd: folder.path,
  });
  const [, secret = 'x'] = (await folder.text('private.key')).split('\n');
  t.false(`${stdout}${stderr}`.includes(secret));
});

test('keygen uses the configured key paths and fails if the configuration reads a key from the environment', async (t) => {
  const folder = await testFolder(t);
  await folder.write('ota.config.json', JSON.stringify({ privateKey: 'keys/door.key', publicKey: 'door.pub' }));
  await folder.write('keys/README', '');
  t.is((await runCommand(['keygen'], { cwd: folder.path })).error, undefined);
  t.deepEqual(await folder.list(), ['door.pub', 'keys/README', 'keys/door.key', 'ota.config.json']);
  await folder.write('ota.config.json', JSON.stringify({ privateKey: { env: 'DOOR_KEY' } }));
  const { error } = await runCommand(['keygen'], { cwd: folder.path });
  t.is(error?.exitCode, 2);
  t.regex(error?.message ?? '', /DOOR_KEY/);
});

const passphrase = 'correct horse battery';

test('keygen --encrypt reads the passphrase from a variable, a file, the configuration or the prompt', async (t) => {
  const named = {
    'pass.txt': `${passphrase}\n`,
    'ota.config.json': '{"privateKey": "private.key", "passphrase": {"env": "OTA_PASSPHRASE"}}',
  };
  const sources: readonly (readonly [string[], Record<string, string>])[] = [
    [['--passphrase-env', 'DOOR_PASSPHRASE'], { DOOR_PASSPHRASE: passphrase }],
    [['--passphrase-file', 'pass.txt'], {}],
    [[], { OTA_PASSPHRASE: passphrase }],
  ];
  for (const [options, env] of sources) {
    const folder = await testFolder(t, named);
    const argv = ['keygen', '--bits', '1024', '--encrypt', '--json', ...options];
    const { error, stdout, stderr } = await runCommand(argv, { cwd: folder.path, env });
    t.is(error, undefined, options.join(' '));
    t.true(JSON.parse(stdout).encrypted);
    t.regex(await folder.text('private.key'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    const { fingerprint } = await loadPublicKey(folder.at('public.key'));
    t.is((await loadPrivateKey(folder.at('private.key'), passphrase)).publicKey.fingerprint, fingerprint);
    t.false(`${stdout}${stderr}`.includes(passphrase));
  }

  const folder = await testFolder(t, { 'door.bin': 'any file' });
  const questions: string[] = [];
  const promptSecret = async (question: string) => {
    questions.push(question);
    return passphrase;
  };
  const atTerminal = (...argv: string[]) => runCommand(argv, { cwd: folder.path, promptSecret });
  t.is((await atTerminal('keygen', '--bits', '1024', '--encrypt')).error, undefined);
  t.deepEqual(questions.splice(0), ['Passphrase of private.key', 'Passphrase of private.key again']);
  t.is((await atTerminal('sign', '--bin', 'door.bin')).error, undefined);
  t.is((await atTerminal('sign', '--bin', 'door.bin', '--private-key', 'private.key')).error, undefined);
  t.deepEqual(questions, ['Passphrase of private.key', 'Passphrase of private.key']);
  const file = await runCommand(['sign', '--bin', 'door.bin', '--passphrase-file', 'private.key'], {
    cwd: folder.path,
  });
  t.is(file.error?.code, 'KEY_PASSPHRASE_WRONG');
});

test('keygen --encrypt rejects short, mistyped and missing passphrases and creates no key', async (t) => {
  const folder = await testFolder(t, { 'short.txt': '1234567\n' });
  const keygen = (argv: string[], inputs?: string[]) =>
    runCommand(['keygen', '--bits', '1024', ...argv], {
      cwd: folder.path,
      ...(inputs === undefined ? {} : { promptSecret: async () => inputs.shift() ?? '' }),
    });
  t.is((await keygen(['--encrypt', '--passphrase-file', 'short.txt'])).error?.code, 'PASSPHRASE_UNUSABLE');
  const mistyped = await keygen(['--encrypt'], [passphrase, 'correct house battery']);
  t.regex(mistyped.error?.message ?? '', /the two passphrases differ$/);
  t.is((await keygen(['--encrypt'])).error?.code, 'OPTION_MISSING');
  t.is((await keygen(['--encrypt', '--passphrase-env', 'UNSET'])).error?.code, 'SECRET_MISSING');
  t.regex((await keygen(['--passphrase-file', 'short.txt'])).error?.message ?? '', /requires --encrypt$/);
  t.deepEqual(await folder.list(), ['short.txt']);
});
