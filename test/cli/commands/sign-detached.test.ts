/** Signatures that are made elsewhere: `sign --digest-only`, then `sign --signature FILE`. */
import { constants, createHash, createPrivateKey, privateEncrypt, sign } from 'node:crypto';
import test from 'ava';
import { door } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { signFile } from '../../support/signed-file.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const key = createPrivateKey(door.privatePem);
const image = Buffer.alloc(5003, 'any file that is not empty');
const padded = (bytes: Uint8Array) => privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, bytes);

const place = (t: Parameters<typeof testFolder>[0]) =>
  testFolder(t, {
    'public.key': door.publicPem,
    'door.bin': image,
    'build/sketch.bin': door.bin,
    'build/sketch.elf': door.elf,
  });

const run = (folder: TestFolder, ...argv: string[]) => runCommand(argv, { cwd: folder.path });

test('sign --digest-only writes the digest, and sign --signature the file that the key would have signed', async (t) => {
  const folder = await place(t);
  const written = await run(folder, 'sign', '--bin', 'door.bin', '--digest-only');
  t.is(written.error, undefined);
  const digest = createHash('sha256').update(image).digest();
  t.deepEqual(await folder.read('door.bin.signed.digest'), digest);
  t.true(
    written.stderr.includes(`To sign: door.bin.signed.digest (SHA-256 ${digest.toString('hex')})`),
    written.stderr,
  );

  await folder.write('door.signature', sign('sha256', image, key));
  t.is((await run(folder, 'sign', '--bin', 'door.bin', '--signature', 'door.signature')).error, undefined);
  t.true((await folder.read('door.bin.signed')).equals(signFile(image, key, 'current')));
});

test('--signer-input selects what --digest-only writes', async (t) => {
  const folder = await place(t);
  const digest = createHash('sha256').update(image).digest();
  const argv = ['sign', '--bin', 'door.bin', '--digest-only', '--legacy', 'old.bin', '--json', '--signer-input'];
  const info = await run(folder, ...argv, 'digest-info');
  t.deepEqual(
    JSON.parse(info.stdout).toSign.map(({ file }: { file: string }) => file),
    [folder.at('door.bin.signed.digest-info'), folder.at('old.bin.digest-info')],
  );
  t.is((await folder.read('door.bin.signed.digest-info')).length, 51);
  t.deepEqual(await folder.read('old.bin.digest-info'), digest);
  t.is((await run(folder, ...argv, 'digest')).error?.code, 'SIGNER_NO_LEGACY');
  const payload = await run(folder, 'sign', '--bin', 'door.bin', '--digest-only', '--signer-input', 'payload');
  t.is(payload.error, undefined);
  t.deepEqual(await folder.read('door.bin.signed.payload'), image);

  await folder.write('new', padded(await folder.read('door.bin.signed.digest-info')));
  await folder.write('old', padded(await folder.read('old.bin.digest-info')));
  const both = ['sign', '--bin', 'door.bin', '--legacy', 'old.bin', '--signature', 'old', '--signature', 'new'];
  t.is((await run(folder, ...both)).error, undefined);
  t.true((await folder.read('old.bin')).equals(signFile(image, key, 'legacy')));
});

test('a build signed with detached signatures equals a build signed with the key', async (t) => {
  const folder = await place(t);
  await folder.write('key.pem', door.privatePem);
  const artifacts = async () =>
    Promise.all(['.signed', '.gz.signed', '.ota.json'].map((end) => folder.text(`build/sketch.bin${end}`)));
  t.is((await run(folder, 'pack', 'build/sketch.bin', '--private-key', 'key.pem')).error, undefined);
  const expected = await artifacts();

  t.is((await run(folder, 'pack', 'build/sketch.bin', '--unsigned')).error, undefined);
  const manifest = ['sign', '--manifest', 'build/sketch.bin.ota.json'];
  t.is((await run(folder, ...manifest, '--digest-only', '--signer-input', 'digest-info')).error, undefined);
  const names = ['sketch.bin.signed', 'sketch.bin.gz.signed'];
  for (const name of names) {
    await folder.write(`${name}.signature`, padded(await folder.read(`build/${name}.digest-info`)));
  }
  const signatures = names.flatMap((name) => ['--signature', `${name}.signature`]);
  const one = await run(folder, ...manifest, ...signatures.slice(0, 2));
  t.is(one.error?.code, 'SIGNATURE_REJECTED', 'one of two signatures is missing');
  t.false((await folder.list()).includes('build/sketch.bin.signed'));
  t.is((await run(folder, ...manifest, ...signatures)).error, undefined);
  t.deepEqual(await artifacts(), expected);
});

test('sign --signature rejects everything but signatures of this image, and writes nothing', async (t) => {
  const folder = await place(t);
  const valid = sign('sha256', image, key);
  const cases: readonly (readonly [Uint8Array | string, RegExp])[] = [
    [sign('sha256', Buffer.from('another image'), key), /^other was not used: it is a signature of different bytes$/],
    [sign('sha256', image, rsaPems(2048).privatePem), /it was not made with the key [0-9a-f]{64}/],
    [valid.subarray(0, 255), /it has 255 bytes, but a signature of this key has 256 bytes/],
    [valid.toString('base64'), /it has 344 bytes/],
    ['', /it has 0 bytes/],
    [padded(createHash('sha256').update(image).digest()), /it covers the bare digest/],
  ];
  const before = await folder.list();
  for (const [content, message] of cases) {
    await folder.write('other', content);
    const { error } = await run(folder, 'sign', '--bin', 'door.bin', '--signature', 'other');
    t.is(error?.code, 'SIGNATURE_REJECTED');
    t.regex(error?.message.replace(`${folder.path}/`, '') ?? '', message);
    t.deepEqual(
      (await folder.list()).filter((name) => name !== 'other'),
      before,
    );
  }
  await folder.write('valid', valid);
  const extra = await run(folder, 'sign', '--bin', 'door.bin', '--signature', 'valid', '--signature', 'other');
  t.is(extra.error?.code, 'SIGNATURE_REJECTED');
  t.false((await folder.list()).includes('door.bin.signed'), 'a signature without a file is an error');
  const bare = await testFolder(t, { 'door.bin': image, valid });
  t.is((await run(bare, 'sign', '--bin', 'door.bin', '--signature', 'valid')).error?.code, 'KEY_MISSING_FOR');
});
