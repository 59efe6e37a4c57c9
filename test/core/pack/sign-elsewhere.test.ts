import { rm } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { formatManifest, type Manifest } from '../../../src/core/model/manifest.ts';
import type { ErrorCode } from '../../../src/errors/ota-error.ts';
import { builtSketch, door, elfWithoutVerifier } from '../../support/built-sketch.ts';
import { buildImage } from '../../support/image-builder.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import { spiffsImage } from '../../support/spiffs-image.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const image = 'door.ino.bin';
const manifest = `${image}.ota.json`;
const elf = 'door.ino.elf';

async function contents(folder: TestFolder, names: readonly string[]): Promise<Record<string, string>> {
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await folder.read(name)).toString('base64')])),
  );
}

/** Packs without the private key and returns a folder with the key, the manifest and the unsigned artifacts. */
async function packedElsewhere(
  t: ExecutionContext,
  options: readonly string[] = ['--public-key', 'public.key'],
): Promise<TestFolder> {
  const builder = await builtSketch(t);
  const argv = ['pack', `build/${image}`, '--source', 'build', '--unsigned', ...options];
  const { exitCode, stderr } = await runCommand(argv, { cwd: builder.path });
  t.is(exitCode, 0, stderr);
  const vault = await testFolder(t, { 'private.key': door.privatePem });
  for (const name of [elf, image, `${image}.gz`, manifest])
    await vault.write(name, await builder.read(`build/${name}`));
  return vault;
}

function sign(folder: TestFolder, ...argv: string[]): Promise<CommandRun> {
  return runCommand(['sign', '--private-key', 'private.key', '--manifest', manifest, ...argv], { cwd: folder.path });
}

const builds: Readonly<Record<string, { files?: Record<string, string | Uint8Array>; options?: readonly string[] }>> = {
  'a sketch': {},
  'a sketch with a legacy signature, a version and a board': {
    options: ['--legacy', '--firmware-version', '1.2.3', '--board', 'd1_mini'],
  },
  'an uncompressed sketch': { options: ['--compression', 'none'] },
  // The image is small because zopfli is slow.
  'a zopfli-compressed sketch': {
    files: { [`build/${image}`]: buildImage({ flashContent: Buffer.from(`${door.publicPem}\0`) }) },
    options: ['--compression', 'zopfli'],
  },
  'a sketch compressed by the build system': {
    files: { [`build/${image}`]: gzipSync(door.bin) },
    options: ['--legacy'],
  },
  'a sketch that installs its verifier itself': {
    files: { 'build/door.ino.elf': elfWithoutVerifier() },
    options: ['--declare-enforcement'],
  },
  'a sketch without its ELF file': { options: ['--elf', 'public.key'] },
  'a filesystem image': { files: { [`build/${image}`]: spiffsImage() } },
  'a filesystem image with a signed compressed artifact': {
    files: { [`build/${image}`]: spiffsImage() },
    options: ['--sign-compressed-filesystem'],
  },
};

for (const [what, { files = {}, options = [] }] of Object.entries(builds)) {
  test(`pack --unsigned and sign produce the same files as pack for ${what}`, async (t) => {
    const atOnce = await builtSketch(t, files);
    const builder = await builtSketch(t, files);
    const packed = await runCommand(['pack', `build/${image}`, ...options], { cwd: atOnce.path });
    t.is(packed.exitCode, 0, packed.stderr);
    const unsigned = ['--source', 'build', '--public-key', 'public.key', '--unsigned'];
    await runCommand(['pack', `build/${image}`, ...unsigned, ...options], { cwd: builder.path });

    const vault = await testFolder(t, { 'private.key': door.privatePem });
    for (const name of await builder.list()) {
      if (name.startsWith(`build/${image}`) || name === `build/${elf}`)
        await vault.write(name, await builder.read(name));
    }
    const declared = options.filter((option) => option === '--declare-enforcement');
    const argv = ['sign', '--private-key', 'private.key', '--manifest', `build/${manifest}`, '--json', ...declared];
    const signed = await runCommand(argv, { cwd: vault.path });
    t.is(signed.exitCode, 0, signed.stderr);

    const names = (await vault.list()).filter((name) => name.startsWith(`build/${image}`));
    t.deepEqual(
      names,
      (await atOnce.list()).filter((name) => name.startsWith(`build/${image}`)),
    );
    t.deepEqual(await contents(vault, names), await contents(atOnce, names));
    t.deepEqual(JSON.parse(signed.stdout), JSON.parse(await vault.text(`build/${manifest}`)));
  });
}

test('signing a build twice changes nothing', async (t) => {
  const vault = await packedElsewhere(t);
  t.is((await sign(vault)).exitCode, 0);
  const first = await contents(vault, await vault.list());
  const { exitCode, stderr } = await sign(vault);
  t.is(exitCode, 0);
  t.true(stderr.includes(`Signed binary: ${image}.signed\n`));
  t.deepEqual(await contents(vault, await vault.list()), first);
});

test('rejects a key that the build was not packed for', async (t) => {
  const vault = await packedElsewhere(t);
  const before = await contents(vault, [manifest]);
  await vault.write('private.key', rsaPems(2048).privatePem);
  await vault.write(`${image}.signed`, 'stale');
  const { exitCode, error } = await sign(vault);
  t.is(exitCode, 1);
  t.is(error?.code, 'KEYS_DONT_MATCH');
  t.true(error?.message.includes(readPublicKey(door.publicPem, '').fingerprint));
  t.deepEqual(await vault.list(), [elf, image, `${image}.gz`, manifest, 'private.key'].sort());
  t.deepEqual(await contents(vault, [manifest]), before);
});

test('signs a build packed without a key only if its image contains the key, and warns', async (t) => {
  const vault = await packedElsewhere(t, []);
  const own = await sign(vault);
  t.is(own.exitCode, 0);
  t.regex(own.stderr, /^warning: .*nothing shows that the Updater verifies signatures/m);

  const stranger = await packedElsewhere(t, []);
  await stranger.write('private.key', rsaPems(2048).privatePem);
  const { exitCode, error } = await sign(stranger);
  t.is(exitCode, 1);
  t.is(error?.code, 'ENFORCEMENT_KEY_MISSING');
});

test('rejects a damaged manifest and a manifest that lists files outside its folder', async (t) => {
  const vault = await packedElsewhere(t);
  const good: Manifest = JSON.parse(await vault.text(manifest));
  const [first] = good.artifacts;
  if (first === undefined) return t.fail();
  const bad: Record<string, string> = {
    'no JSON': '{"manifest": 1',
    'a newer version': JSON.stringify({ ...good, manifest: 2 }),
    'an unknown key': JSON.stringify({ ...good, surprise: true }),
    'a missing key': JSON.stringify({ ...good, artifacts: undefined }),
    'a path upwards': JSON.stringify({ ...good, artifacts: [{ ...first, file: '../door.ino.bin' }] }),
    'an absolute path': JSON.stringify({ ...good, image: { ...good.image, file: '/etc/passwd' } }),
    'a path of Windows': JSON.stringify({ ...good, artifacts: [{ ...first, file: 'c:\\door.bin' }] }),
    nothing: '',
  };
  for (const [what, text] of Object.entries(bad)) {
    await vault.write(manifest, text);
    await vault.write(`${image}.signed`, 'stale');
    const { exitCode, error } = await sign(vault);
    t.is(error?.code, what === 'a newer version' ? 'FORMAT_TOO_NEW' : 'MANIFEST_INVALID', what);
    t.is(exitCode, 1, what);
    t.deepEqual(await vault.list(), [elf, image, `${image}.gz`, manifest, 'private.key'].sort(), what);
  }
});

test('does not sign an artifact that is missing or was changed after packing', async (t) => {
  const changes: readonly (readonly [string, ErrorCode, (folder: TestFolder, name: string) => Promise<unknown>])[] = [
    [image, 'ARTIFACT_CHANGED', (folder, name) => folder.write(name, Buffer.concat([door.bin, Buffer.of(0)]))],
    [`${image}.gz`, 'ARTIFACT_CHANGED', (folder, name) => folder.write(name, gzipSync(door.bin))],
    [`${image}.gz`, 'FILE_NOT_FOUND', (folder, name) => rm(folder.at(name))],
  ];
  for (const [name, code, change] of changes) {
    const vault = await packedElsewhere(t);
    await change(vault, name);
    const { error } = await sign(vault);
    t.is(error?.code, code);
    t.true(error?.message.includes(vault.at(name)));
    t.false((await vault.list()).some((file) => file.endsWith('.signed')));
  }
});

test('removes the other signed files and keeps the manifest if a signed file cannot be written', async (t) => {
  const vault = await packedElsewhere(t);
  const before = await contents(vault, [manifest]);
  await vault.write(`${image}.gz.signed/in the way`, '');
  const { exitCode } = await sign(vault);
  t.is(exitCode, 1);
  t.false((await vault.list()).includes(`${image}.signed`));
  t.deepEqual(await contents(vault, [manifest]), before);
});

test('writes a manifest with sorted keys, which parsing and formatting leave unchanged', async (t) => {
  const vault = await packedElsewhere(t);
  await sign(vault);
  const text = await vault.text(manifest);
  t.is(formatManifest(JSON.parse(text)), text);
  const keys = Object.keys(JSON.parse(text));
  t.deepEqual(keys, keys.toSorted());
  t.true(text.endsWith('}\n'));
});
