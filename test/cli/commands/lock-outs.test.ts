/** Tests that `pack` compares a build with the last release, so that devices that run it can still be updated. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { productDigest } from '../../../src/core/firmware/update-metadata.ts';
import { guardRecord, productHash } from '../../../src/core/keys/guard-record.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { type Manifest, readManifest } from '../../../src/core/model/manifest.ts';
import { builtSketch, door } from '../../support/built-sketch.ts';
import { listed, packedDoor, restarted, virtualDoor } from '../../support/fleet.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import type { TestFolder } from '../../support/test-folder.ts';

const key = readPublicKey(door.publicPem, 'public.key');
const other = rsaPems();
const image = 'door.bin';

function run({ path }: TestFolder, ...argv: string[]) {
  return runCommand(argv, { cwd: path });
}

/** Writes the configuration and the image of a build with this guard, or without a guard. */
async function build(folder: TestFolder, guard?: { product: string; securityVersion: number }, project = 'door') {
  await folder.write('ota.config.json', JSON.stringify({ project, guard }));
  const record =
    guard && guardRecord({ ...guard, product: productHash(guard.product), keys: [key], require: 'signature' });
  // The ELF file beside the other image belongs to a build without the guard.
  await folder.write(image, Buffer.concat([door.bin, record ?? new Uint8Array()]));
}

function pack(folder: TestFolder, ...options: string[]) {
  return run(folder, 'pack', image, '--firmware-version', '1.1', ...options);
}

async function packedManifest(folder: TestFolder): Promise<Manifest> {
  return readManifest(await folder.text(`${image}.ota.json`), image);
}

async function released(folder: TestFolder): Promise<readonly Manifest[]> {
  return JSON.parse(await folder.text('.ota/released.json')).releases;
}

/** Folder that has published version 1.0, by default with a guard of security version 2. */
async function published(t: ExecutionContext, guard: { product: string; securityVersion: number } | null = front) {
  const folder = await builtSketch(t, { 'releases/empty': '' });
  await build(folder, guard ?? undefined);
  const packed = await run(folder, 'pack', image, '--firmware-version', '1.0');
  t.is(packed.exitCode, 0, packed.stderr);
  const sent = await run(folder, 'publish', image, '--to', './releases', '--allow', 'enforcement-unproven');
  t.is(sent.exitCode, 0, sent.stderr);
  return folder;
}

const front = { product: 'front door', securityVersion: 2 };

for (const [what, guard, rule, message] of [
  [
    'another product',
    { ...front, product: 'gate' },
    'lockout-product',
    /product is gate.*run 1\.0 accept only front door/,
  ],
  ['a lower security version', { ...front, securityVersion: 1 }, 'lockout-security-version', /goes down to 1.*1\.0/],
  [
    'a security version that jumps',
    { ...front, securityVersion: 4 },
    'lockout-security-version',
    /jumps from 2 in 1\.0 to 4/,
  ],
] as const) {
  test(`pack blocks ${what} in the configuration, unless the rule is allowed by name`, async (t) => {
    const folder = await published(t);
    await build(folder, guard);
    const { exitCode, error } = await pack(folder);
    t.is(exitCode, 3);
    t.is(error?.code, 'UPDATE_BLOCKED');
    t.regex(error?.message ?? '', message);
    t.regex(error?.hint ?? '', new RegExp(`--allow ${rule}`));
    t.false((await folder.list()).includes(`${image}.signed`));
    t.is((await pack(folder, '--allow', 'no-ota')).exitCode, 3, 'a different rule');
    const allowed = await pack(folder, '--allow', rule);
    t.is(allowed.exitCode, 0, allowed.stderr);
    t.regex(allowed.stderr, new RegExp(`warning: .*\\(${rule}\\)`));
    // A build server without the folder names the manifest of the last release.
    const [last] = await released(folder);
    await folder.write('last.ota.json', JSON.stringify(last));
    await rm(join(folder.path, '.ota'), { recursive: true });
    t.is((await pack(folder)).exitCode, 0, 'a first release');
    t.is((await pack(folder, '--previous', 'last.ota.json')).exitCode, 3);
    t.is((await pack(folder, '--previous', 'gone.json')).error?.code, 'FILE_NOT_FOUND');
  });
}

test('pack accepts the next security version, and publish makes it the last release', async (t) => {
  const folder = await published(t);
  for (const securityVersion of [3, 4]) {
    await build(folder, { ...front, securityVersion });
    const packed = await run(folder, 'pack', image, '--firmware-version', `2.${securityVersion}`);
    t.is(packed.exitCode, 0, packed.stderr);
    const sent = await run(folder, 'publish', image, '--to', './releases', '--allow', 'enforcement-unproven');
    t.is(sent.exitCode, 0, sent.stderr);
    t.deepEqual(
      (await released(folder)).map(({ version }) => version),
      [`2.${securityVersion}`],
    );
  }
});

test('a recorded product and security version stay after the project is renamed and the guard is removed', async (t) => {
  const guarded = await published(t);
  await build(guarded, undefined, 'gate');
  t.is((await pack(guarded)).exitCode, 0);
  t.deepEqual((await packedManifest(guarded)).metadata, { product: 'front door', securityVersion: 2, raw: false });

  // The guard is removed over the air: a device that still has it accepts the release.
  const guard = {
    keys: [key.fingerprint],
    product: productDigest('front door'),
    securityVersion: 2,
    require: 'metadata',
  };
  const device = { core: '3.1.2', signing: 'required', flashMode: 'dio', chipSizeBytes: 4 << 20, guard };
  await guarded.write('device.json', JSON.stringify({ ...device, fsStart: 0x200000, sketchSizeBytes: 300_000 }));
  const verdict = await run(guarded, 'verify', `${image}.gz.signed`, '--device', 'device.json');
  t.is(verdict.exitCode, 0, verdict.stderr);

  const plain = await published(t, null);
  await build(plain, undefined, 'gate');
  t.is((await pack(plain)).exitCode, 0);
  t.deepEqual((await packedManifest(plain)).metadata, { product: 'door', securityVersion: 0, raw: false });
  t.is((await packedManifest(plain)).project, 'gate');
  // A project on the command line is a different one, not a new name.
  t.is((await pack(plain, '--project', 'lamp')).exitCode, 0);
  t.is((await packedManifest(plain)).metadata?.product, 'lamp');
});

test('pack blocks a build that another key signs than the last release accepts, and accepts a hop', async (t) => {
  const keys = [
    { name: 'new', publicKey: 'public.key', fingerprint: key.fingerprint, role: 'signing' },
    { name: 'old', publicKey: 'old.key', fingerprint: readPublicKey(other.publicPem, '').fingerprint, role: 'backup' },
  ];
  const config = JSON.stringify({ project: 'door', keys });
  const folder = await builtSketch(t, {
    'ota.config.json': config,
    'old.key': other.publicPem,
    'old-private.key': other.privatePem,
    'releases/empty': '',
  });
  const sketch = 'build/door.ino.bin';
  const hop = ['--hop', 'old', '--private-key', 'old-private.key'];
  t.is((await run(folder, 'pack', sketch, '--firmware-version', '1.0', ...hop)).exitCode, 0);
  const oldKey = readPublicKey(other.publicPem, '');
  const manifest = readManifest(await folder.text(`${sketch}.ota.json`), sketch);
  // The last release, which contained the old key.
  const { fingerprint, bits, pem } = oldKey;
  const signing = { ...manifest.signing, publicKey: { fingerprint, bits, pem }, previousKey: undefined };
  await folder.write('last.ota.json', JSON.stringify({ ...manifest, signing }));
  const { error } = await run(folder, 'pack', sketch, '--previous', 'last.ota.json');
  t.is(error?.code, 'UPDATE_BLOCKED');
  t.regex(error?.message ?? '', /lockout-key.*signed with key .*run 1\.0 accept only key/);
  const hopped = await run(folder, 'pack', sketch, '--firmware-version', '1.1', '--previous', 'last.ota.json', ...hop);
  t.is(hopped.exitCode, 0, hopped.stderr);
  t.is((await run(folder, 'publish', sketch, '--to', './releases')).exitCode, 0);
  const next = await run(folder, 'pack', sketch, '--firmware-version', '1.2');
  t.is(next.exitCode, 0, next.stderr);
});

test('pack warns about a damaged record of the last release, and publish replaces it', async (t) => {
  const folder = await published(t);
  await folder.write('.ota/released.json', '{"version": 1');
  await build(folder, front);
  const packed = await pack(folder);
  t.is(packed.exitCode, 0);
  t.regex(packed.stderr, /warning: \.ota\/released\.json is not used \(not valid JSON\).*--previous FILE/);
  t.is((await run(folder, 'publish', image, '--to', './releases', '--allow', 'enforcement-unproven')).exitCode, 0);
  t.is((await released(folder)).length, 1);
});

test('boards that are published at the same time are all recorded', async (t) => {
  const folder = await builtSketch(t, { 'ota.config.json': '{"project": "door", "version": "1.0"}' });
  const boards = ['d1_mini', 'nodemcuv2', 'esp01'];
  for (const board of boards) {
    await folder.write(`${board}.bin`, door.bin);
    await folder.write(`to-${board}/empty`, '');
    t.is((await run(folder, 'pack', `${board}.bin`, '--board', board, '--elf', 'build/door.ino.elf')).exitCode, 0);
  }
  const sent = await Promise.all(
    boards.map((board) => run(folder, 'publish', `${board}.bin`, '--to', `./to-${board}`)),
  );
  t.deepEqual(
    sent.map(({ exitCode }) => exitCode),
    [0, 0, 0],
  );
  t.deepEqual((await released(folder)).map(({ board }) => board).sort(), [...boards].sort());
});

test('an upload is recorded as the last release', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device) }, { project: 'door' });
  t.is((await run(folder, 'upload', 'build/door.ino.bin', '--all')).exitCode, 0);
  await restarted(device);
  t.is((await released(folder)).length, 1);
});
