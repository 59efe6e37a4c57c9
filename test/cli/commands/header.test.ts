import { stat, utimes } from 'node:fs/promises';
import test from 'ava';
import { guardHeader } from '../../../src/core/keys/guard-header.ts';
import { productHash } from '../../../src/core/keys/guard-record.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { signingHeader, unsignedHeader } from '../../../src/core/keys/signing-header.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';

const { privatePem, publicPem } = rsaPems(2048);
const signed = signingHeader(readPublicKey(publicPem, 'public.key'));
const out = 'build/core/Updater_Signing.h';

test('header creates the output folder, writes the key and prints the message that the IDE shows', async (t) => {
  const folder = await testFolder(t, { 'keys/door.pub': publicPem });
  const { exitCode, stdout, stderr } = await runCommand(['header', '--public-key', 'keys/door.pub', '--out', out], {
    cwd: folder.path,
  });
  t.is(exitCode, 0);
  t.is(stdout, '');
  t.is(stderr, 'Enabling binary signing\n');
  t.is(await folder.text(out), signed);
  t.deepEqual(await folder.list(), [out, 'keys/door.pub'].sort());
});

test('header finds the public key beside the sketch or in the configuration, or derives it from the private key', async (t) => {
  const { fingerprint } = readPublicKey(publicPem, '');
  const projects = {
    beside: { 'public.key': publicPem },
    derived: { 'private.key': privatePem },
    configured: { 'ota.config.json': '{"publicKey": "keys/door.pub"}', 'keys/door.pub': publicPem },
    environment: { 'ota.config.yaml': 'publicKey: {env: DOOR_PUBLIC_KEY}' },
  };
  for (const [name, files] of Object.entries(projects)) {
    const folder = await testFolder(t, files);
    const { exitCode, stdout } = await runCommand(['header', '--source', '.', '--out', out, '--json'], {
      cwd: folder.path,
      env: { DOOR_PUBLIC_KEY: publicPem },
    });
    t.is(exitCode, 0, name);
    t.is(await folder.text(out), signed, name);
    t.deepEqual(
      JSON.parse(stdout),
      { header: folder.at(out), written: true, fingerprint, bits: 2048, guard: null },
      name,
    );
  }
});

test('header reports that the project has no key, and disables signing', async (t) => {
  const folder = await testFolder(t, { 'door/door.ino': '', 'half/ota.config.json': '{"project": "half"}' });
  for (const name of ['door', 'half']) {
    const argv = ['header', '--source', name, '--out', out];
    const { exitCode, stdout, stderr } = await runCommand(argv, { cwd: folder.path });
    t.is(exitCode, 0);
    t.is(stdout, '');
    t.regex(stderr, new RegExp(`^Not enabling binary signing: no public\\.key in ${name}$`, 'm'));
    t.is(await folder.text(out), unsignedHeader());
  }
});

test('header --if-set-up prints nothing for a sketch without keys and configuration', async (t) => {
  const folder = await testFolder(t, { 'door/door.ino': '', 'half/ota.config.json': '{"project": "half"}' });
  const header = (source: string) =>
    runCommand(['header', '--if-set-up', '--source', source, '--out', out], { cwd: folder.path });
  t.is((await header('door')).stderr, '');
  t.regex((await header('half')).stderr, /^Not enabling binary signing/m);
});

test('header keeps the modification time of an unchanged file to avoid recompilation', async (t) => {
  const folder = await testFolder(t, { 'public.key': publicPem });
  const then = new Date('2020-02-02');
  const make = (...argv: string[]) => runCommand(['header', '--out', out, '--json', ...argv], { cwd: folder.path });
  for (const argv of [
    ['--public-key', 'public.key'],
    ['--source', 'build'],
  ]) {
    t.like(JSON.parse((await make(...argv)).stdout), { written: true });
    await utimes(folder.at(out), then, then);
    t.like(JSON.parse((await make(...argv)).stdout), { written: false });
    t.deepEqual((await stat(folder.at(out))).mtime, then);
  }
});

test('header rewrites the file when the key changes or is removed', async (t) => {
  const folder = await testFolder(t, { 'public.key': publicPem });
  const make = async (...argv: string[]) => {
    await runCommand(['header', '--out', out, ...argv], { cwd: folder.path });
    return folder.text(out);
  };
  const first = await make('--public-key', 'public.key');
  await folder.write('public.key', rsaPems(2048).publicPem);
  const second = await make('--public-key', 'public.key');
  t.not(second, first);
  t.is(await make('--source', 'build'), unsignedHeader());
});

test('header warns about keys smaller than 2048 bits', async (t) => {
  const folder = await testFolder(t, { 'public.key': rsaPems(1024).publicPem });
  for (const argv of [
    ['--public-key', 'public.key'],
    ['--source', '.'],
  ]) {
    const { stderr } = await runCommand(['header', '--out', out, '--quiet', ...argv], { cwd: folder.path });
    t.regex(stderr, /^warning: public\.key has 1024 bits; keys smaller than 2048 bits can be broken/);
  }
});

test('header removes the old file when the key is invalid, missing or misconfigured', async (t) => {
  const cases: readonly (readonly [Record<string, string>, readonly string[], number])[] = [
    [{ 'public.key': '' }, ['--public-key', 'public.key'], 1],
    [{}, ['--public-key', 'public.key'], 2],
    [{ 'public.key': privatePem }, ['--source', '.'], 1],
    [{ 'ota.config.json': '{"publicKey": "gone.key"}' }, ['--source', '.'], 2],
    [{ 'ota.config.json': '{"publicKey": {"env": "GONE"}}' }, ['--source', '.'], 2],
    [{ 'ota.config.json': '{"publickey": "public.key"}', 'public.key': publicPem }, ['--source', '.'], 2],
    [{ 'public.key': publicPem }, ['--source', 'nowhere'], 2],
    [{ 'public.key': publicPem }, ['--source', '.', '--config', 'nowhere.json'], 2],
  ];
  for (const [files, argv, expected] of cases) {
    const folder = await testFolder(t, {
      ...files,
      [out]: signed,
      'build/core/.Updater_Signing.h.0badcafe.tmp': 'half of',
    });
    const { exitCode, stderr } = await runCommand(['header', '--out', out, ...argv], { cwd: folder.path });
    t.is(exitCode, expected, argv.join(' '));
    t.notRegex(stderr, /Enabling/);
    t.deepEqual(await folder.list(), Object.keys(files).sort());
  }
});

test('header rejects an output path that names the key file', async (t) => {
  const folder = await testFolder(t, { 'public.key': publicPem });
  const { exitCode } = await runCommand(['header', '--public-key', 'public.key', '--out', './public.key'], {
    cwd: folder.path,
  });
  t.is(exitCode, 2);
  t.is(await folder.text('public.key'), publicPem);
});

test('header reports the reason when the output file cannot be written', async (t) => {
  const folder = await testFolder(t, { 'public.key': publicPem, build: 'a file', 'folder/Updater_Signing.h/x': '' });
  const inFile = await runCommand(['header', '--public-key', 'public.key', '--out', out], { cwd: folder.path });
  t.is(inFile.exitCode, 1);
  t.regex(inFile.error?.message ?? '', /Updater_Signing\.h could not be written: .*file.*folder/);
  const onFolder = await runCommand(['header', '--public-key', 'public.key', '--out', 'folder/Updater_Signing.h'], {
    cwd: folder.path,
  });
  t.is(onFolder.exitCode, 1);
  t.regex(onFolder.error?.message ?? '', /could not be written: it is a folder/);
  t.deepEqual(await folder.list(), ['build', 'folder/Updater_Signing.h/x', 'public.key']);
});

test('header removes the artifacts of an earlier build', async (t) => {
  const stale = ['.gz', '.signed', '.gz.signed', '.legacy_sig', '.ota.json'].map(
    (suffix) => `build/door.ino.bin${suffix}`,
  );
  const folder = await testFolder(t, {
    'public.key': publicPem,
    'build/door.ino.bin': 'image',
    'build/.door.ino.bin.gz.signed.12345678.tmp': 'half',
    'build/other.bin.signed': 'another sketch',
    ...Object.fromEntries(stale.map((name) => [name, 'stale'])),
  });
  const argv = ['header', '--public-key', 'public.key', '--out', out, '--image', 'build/door.ino.bin'];
  t.is((await runCommand(argv, { cwd: folder.path })).exitCode, 0);
  t.deepEqual(await folder.list(), [out, 'build/door.ino.bin', 'build/other.bin.signed', 'public.key']);
});

test('header generates the guard with the signing and backup keys, and without retired keys', async (t) => {
  const pairs = { main: rsaPems(2048), vault: rsaPems(2048), old: rsaPems(2048) };
  const roles = { main: 'signing', vault: 'backup', old: 'retired' } as const;
  const fingerprintOf = (name: keyof typeof pairs) => readPublicKey(pairs[name].publicPem, name).fingerprint;
  const config = (guard: object, vault = fingerprintOf('vault')) =>
    JSON.stringify({
      guard,
      keys: (['old', 'vault', 'main'] as const).map((name) => ({
        name,
        publicKey: `${name}.pub`,
        fingerprint: name === 'vault' ? vault : fingerprintOf(name),
        role: roles[name],
      })),
    });
  const folder = await testFolder(t, {
    'ota.config.json': config({ product: 'Tür', securityVersion: 3 }),
    'main.pub': pairs.main.publicPem,
    'vault.pub': pairs.vault.publicPem,
    'old.pub': pairs.old.publicPem,
  });
  const run = (...argv: string[]) => runCommand(['header', '--out', out, ...argv], { cwd: folder.path });
  const { stdout, stderr, exitCode } = await run('--json');
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /^Enabling binary signing, with the guard \(2 keys\)$/m);
  t.deepEqual(JSON.parse(stdout).guard, { keys: [fingerprintOf('main'), fingerprintOf('vault')] });
  const expected = guardHeader({
    keys: [readPublicKey(pairs.main.publicPem, ''), readPublicKey(pairs.vault.publicPem, '')],
    product: productHash('Tür'),
    securityVersion: 3,
    require: 'signature',
  });
  t.is(await folder.text(out), expected);
  t.is((await run('--public-key', 'main.pub')).exitCode, 0);
  t.is(await folder.text(out), expected, 'with --public-key as well');

  await folder.write('ota.config.json', config({ product: 'Tür' }, 'ab'.repeat(32)));
  const replaced = await run();
  t.is(replaced.error?.code, 'KEY_NOT_RECORDED');
  t.regex(replaced.error?.message ?? '', /"vault"/);
  t.false((await folder.list()).includes(out), 'no header remains');
});
