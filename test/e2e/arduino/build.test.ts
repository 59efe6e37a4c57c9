import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import {
  allArtifacts,
  artifactsOf,
  isSignedWith,
  makeKeys,
  makeWorkplace,
  placeKeys,
  removeKeys,
  unsignedArtifacts,
  willVerify,
} from './workplace.ts';

const [ours, theirs] = [makeKeys(), makeKeys()];

test.serial('signs with the current key pair and builds unsigned after the keys are removed', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');

  await placeKeys(sketch, ours);
  const first = await workplace.build(sketch);
  const image = await workplace.image(sketch);
  t.is(first.exitCode, 0, first.output);
  t.regex(first.output, /Enabling binary signing[\s\S]*Signed binary: .*door\.ino\.bin\.signed/);
  t.deepEqual(await artifactsOf(image), allArtifacts);
  t.true(await isSignedWith(`${image}.signed`, ours));
  t.true(await isSignedWith(`${image}.gz.signed`, ours));
  t.true(await willVerify(image, ours));

  await removeKeys(sketch);
  const second = await workplace.build(sketch);
  t.is(second.exitCode, 0, second.output);
  t.notRegex(second.output, /Enabling|Signed binary/);
  t.deepEqual(await artifactsOf(image), unsignedArtifacts);
  t.false((await readFile(image)).includes(ours.publicKey));

  await placeKeys(sketch, theirs);
  const third = await workplace.build(sketch);
  t.is(third.exitCode, 0, third.output);
  t.true(await isSignedWith(`${image}.signed`, theirs));
  t.true(await willVerify(image, theirs));
  t.false((await readFile(image)).includes(ours.publicKey));
});

test.serial('recompiles nothing when nothing has changed, and restores deleted artifacts byte for byte', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, ours);
  await workplace.build(sketch);
  const image = await workplace.image(sketch);
  const before = await digestsOf(image);

  const again = await workplace.build(sketch, '--verbose');
  t.is(again.exitCode, 0);
  t.notRegex(again.output, /g(cc|\+\+) .* -c /);
  t.deepEqual(await digestsOf(image), before);

  for (const suffix of allArtifacts) await rm(image + suffix);
  t.is((await workplace.build(sketch)).exitCode, 0);
  t.deepEqual(await digestsOf(image), before);
});

test.serial('builds and signs with spaces and umlauts in every path', async (t) => {
  const workplace = await makeWorkplace(t, "Jürgen's Werk, 2. Stock");
  const sketch = await workplace.sketch('Haustür');
  await placeKeys(sketch, ours);
  const out = join(workplace.folder, 'für das Gerät');

  const run = await workplace.build(sketch, '--output-dir', out);

  t.is(run.exitCode, 0, run.output);
  t.true(await isSignedWith(join(out, 'Haustür.ino.bin.signed'), ours));
  t.true(await isSignedWith(join(out, 'Haustür.ino.bin.gz.signed'), ours));
});

for (const option of ['--output-dir', '--export-binaries']) {
  test.serial(`removes signed files of the previous build from the folder of ${option}`, async (t) => {
    const workplace = await makeWorkplace(t);
    const sketch = await workplace.sketch('door');
    await placeKeys(sketch, ours);
    const out = join(workplace.folder, 'out');
    const options = option === '--output-dir' ? [option, out] : [option];
    t.is((await workplace.build(sketch, ...options)).exitCode, 0);
    const folder = option === '--output-dir' ? out : join(sketch, 'build', 'esp8266.esp8266.d1_mini');
    t.true((await readdir(folder)).includes('door.ino.bin.gz.signed'));

    await removeKeys(sketch);
    const unsigned = await workplace.build(sketch, ...options);

    t.is(unsigned.exitCode, 0, unsigned.output);
    t.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.signed')),
      [],
    );
  });
}

test.serial('accepts the board without -- before it', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, ours);
  const run = await workplace.run('build', '--source', sketch, '--fqbn', 'esp8266:esp8266:d1_mini');
  t.is(run.exitCode, 0, run.output);
  t.true(await isSignedWith(`${await workplace.image(sketch)}.signed`, ours));
  t.like(JSON.parse(await workplace.manifest(sketch)), { board: 'd1_mini' });
  const refused = await workplace.run('build', '--source', sketch, '--environment', 'd1_mini');
  t.is(refused.exitCode, 2);
  t.regex(refused.output, /--environment d1_mini: is an option for PlatformIO/);
});

test.serial('passes arguments after -- to arduino-cli (flash mode, build path)', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, ours);
  const buildPath = join(workplace.folder, 'elsewhere');

  const run = await workplace.build(sketch, '--board-options', 'FlashMode=qio', '--build-path', buildPath);

  t.is(run.exitCode, 0, run.output);
  const signed = join(buildPath, 'door.ino.bin.signed');
  t.true(await isSignedWith(signed, ours));
  t.is((await readFile(signed))[2], 0);
});

test.serial('reads keys, compression and version from ota.config.json', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  const folder = dirname(sketch);
  await placeKeys(folder, ours);
  // The keys beside the sketch belong to the project, because both are in one git work tree.
  for (const name of ['objects', 'refs']) await mkdir(join(folder, '.git', name), { recursive: true });
  await writeFile(join(folder, '.git/HEAD'), 'ref: refs/heads/main\n');
  const config = { privateKey: '../private.key', publicKey: '../public.key', compression: 'none', version: '1.2.3' };
  await writeFile(join(sketch, 'ota.config.json'), JSON.stringify(config));

  const run = await workplace.build(sketch);

  const image = await workplace.image(sketch);
  t.is(run.exitCode, 0, run.output);
  t.deepEqual(await artifactsOf(image), ['.ota.json', '.signed']);
  t.true(await isSignedWith(`${image}.signed`, ours));
  t.is(JSON.parse(await readFile(`${image}.ota.json`, 'utf8')).version, '1.2.3');
});

test.serial('a build signed in a separate step has the same bytes as one signed during the build', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, ours);
  await workplace.build(sketch);
  const image = await workplace.image(sketch);
  const inOneGo = await digestsOf(image);

  await removeKeys(sketch);
  await placeKeys(sketch, ours, 'public');
  const here = await workplace.build(sketch);
  t.is(here.exitCode, 0, here.output);
  t.deepEqual(await artifactsOf(image), unsignedArtifacts);

  await placeKeys(workplace.folder, ours);
  const there = await workplace.run('sign', '--private-key', 'private.key', '--manifest', `${image}.ota.json`);
  t.is(there.exitCode, 0, there.output);
  t.deepEqual(await digestsOf(image), inOneGo);
});

/** SHA-256 of the image and of each artifact, by file name. */
async function digestsOf(image: string): Promise<Record<string, string>> {
  const folder = dirname(image);
  const names = (await readdir(folder)).filter((name) => join(folder, name).startsWith(image)).sort();
  const digest = async (name: string) =>
    createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex');
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await digest(name)] as const)));
}
