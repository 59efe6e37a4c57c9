import { createPrivateKey } from 'node:crypto';
import test from 'ava';
import { productDigest } from '../../../src/core/firmware/update-metadata.ts';
import { readPrivateKey } from '../../../src/core/keys/private-key.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { packImage } from '../../../src/core/pack/pack-image.ts';
import { signBuild } from '../../../src/core/pack/sign-build.ts';
import { keyFileSigner } from '../../../src/core/signing/key-file-signer.ts';
import { door } from '../../support/built-sketch.ts';
import { buildImage } from '../../support/image-builder.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { signFile } from '../../support/signed-file.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';

const owner = rsaPems();
const stranger = rsaPems();
const publicKey = readPublicKey(owner.publicPem, '');
const { fingerprint } = publicKey;
const payload = Buffer.alloc(4096, 'payload');
const signed = signFile(payload, createPrivateKey(owner.privatePem), 'current');
const files = {
  'owner.key': owner.publicPem,
  'stranger.key': stranger.publicPem,
  'door.bin': payload,
  'door.bin.signed': signed,
  'door.bin.legacy_sig': signFile(payload, createPrivateKey(owner.privatePem), 'legacy'),
  'cut.signed': signed.subarray(0, -1),
  'flipped.signed': signed.map((byte, at) => (at === 100 ? byte ^ 1 : byte)),
  empty: '',
};

function verify(folder: TestFolder, ...argv: string[]) {
  return runCommand(['verify', ...argv], { cwd: folder.path });
}

test('verify accepts files signed with one of the keys passed with --public-key', async (t) => {
  const folder = await testFolder(t, files);
  for (const argv of [
    ['door.bin.signed', '--public-key', 'owner.key'],
    ['door.bin.signed', '--public-key', 'stranger.key', '--public-key', 'owner.key'],
    ['door.bin.legacy_sig', '--public-key', 'owner.key', '--legacy'],
  ]) {
    const { exitCode, stdout } = await verify(folder, ...argv);
    t.is(exitCode, 0);
    t.true(stdout.includes(`${argv[0]}: accepted by devices with key ${fingerprint}`), stdout);
  }
});

test('verify exits with 1 and prints the device error for files that a device would reject', async (t) => {
  const folder = await testFolder(t, files);
  for (const argv of [
    ['door.bin.signed', '--public-key', 'stranger.key'],
    ['door.bin.signed', '--public-key', 'owner.key', '--legacy'],
    ['door.bin.legacy_sig', '--public-key', 'owner.key'],
    ['door.bin', '--public-key', 'owner.key'],
    ['cut.signed', '--public-key', 'owner.key'],
    ['flipped.signed', '--public-key', 'owner.key'],
  ]) {
    const { exitCode, error } = await verify(folder, ...argv);
    t.is(exitCode, 1, argv.join(' '));
    t.is(
      error?.message,
      `${argv[0]} would be rejected by devices with this key: ERROR[12]: Signature verification failed`,
    );
  }
  const empty = await verify(folder, 'empty', '--public-key', 'owner.key');
  t.is(empty.exitCode, 1);
});

test('verify --json prints one document for accepted and rejected files', async (t) => {
  const folder = await testFolder(t, files);
  const good = await verify(folder, 'door.bin.signed', '--public-key', 'owner.key', '--json');
  t.deepEqual(JSON.parse(good.stdout), {
    file: folder.at('door.bin.signed'),
    accepted: true,
    format: 'current',
    fingerprint,
    provenance: null,
    warnings: [],
  });
  const bad = await verify(folder, 'door.bin', '--public-key', 'owner.key', '--json');
  t.is(bad.exitCode, 1);
  t.like(JSON.parse(bad.stdout), { accepted: false, format: 'current' });
});

test('verify without --public-key uses the project keys, including knownKeys', async (t) => {
  const config = JSON.stringify({ publicKey: 'stranger.key', knownKeys: ['owner.key'] });
  const folder = await testFolder(t, { ...files, 'ota.config.json': config });
  t.is((await verify(folder, 'door.bin.signed')).exitCode, 0);
  t.is((await verify(folder, 'door.bin.signed', '--public-key', 'stranger.key')).exitCode, 1);
  const beside = await testFolder(t, { ...files, 'public.key': owner.publicPem });
  t.is((await verify(beside, 'door.bin.signed')).exitCode, 0);
});

test('verify fails without a key or when a file does not exist', async (t) => {
  const folder = await testFolder(t, files);
  const keyless = await verify(folder, 'door.bin.signed');
  t.is(keyless.exitCode, 2);
  t.regex(keyless.error?.message ?? '', /`verify` requires --public-key FILE/);
  t.is((await verify(folder, 'door.bin.signed', '--public-key', 'gone.key')).error?.code, 'KEY_NOT_FOUND');
  const gone = await verify(folder, 'gone.signed', '--public-key', 'owner.key');
  t.is(gone.error?.code, 'FILE_NOT_FOUND');
  t.is(gone.exitCode, 2);
});

test('verify warns if the image would leave a device without signature checks', async (t) => {
  const folder = await testFolder(t, {
    'owner.key': owner.publicPem,
    'bare.bin.signed': signFile(buildImage(), createPrivateKey(owner.privatePem), 'current'),
  });
  const { exitCode, stdout, stderr } = await verify(folder, 'bare.bin.signed', '--public-key', 'owner.key');
  t.is(exitCode, 0);
  t.regex(stdout, /accepted by devices with key/);
  t.regex(
    stderr,
    /warning: bare\.bin\.signed: the image contains no public key: a device with this image accepts any update/,
  );
  const json = await verify(folder, 'bare.bin.signed', '--public-key', 'owner.key', '--json');
  t.deepEqual(
    JSON.parse(json.stdout).warnings.map(({ rule }: { rule: string }) => rule),
    ['embedded-key-missing'],
  );
});

test('verify --device gives the verdict of a device with the guard', async (t) => {
  const build = async (securityVersion: number) => {
    const metadata = { product: 'door', securityVersion, raw: true };
    const image = buildImage({ flashContent: Buffer.from(owner.publicPem) });
    const packed = await packImage({ path: 'door.bin', image, metadata, publicKey, enforcementDeclared: true });
    const { files: made } = await signBuild(packed.build, keyFileSigner(readPrivateKey(owner.privatePem, '')), 'owner');
    return made;
  };
  const [older, same] = [await build(1), await build(2)];
  const guard = { keys: [fingerprint], product: productDigest('door'), securityVersion: 2, require: 'metadata' };
  const folder = await testFolder(t, {
    'public.key': owner.publicPem,
    'device.json': JSON.stringify({ core: '3.1.2', signing: 'required', flashMode: 'qio', guard }),
    'plain.json': JSON.stringify({ core: '3.1.2', signing: 'required', keyFingerprint: fingerprint, flashMode: 'qio' }),
    'older.signed': older.get('door.bin.signed') ?? '',
    'older.gz.signed': older.get('door.bin.gz.signed') ?? '',
    'same.signed': same.get('door.bin.signed') ?? '',
    'same.gz.signed': same.get('door.bin.gz.signed') ?? '',
    'unsigned.bin': same.get('door.bin') ?? '',
  });
  for (const name of ['same.signed', 'same.gz.signed']) {
    const { exitCode, stdout } = await verify(folder, name, '--device', 'device.json');
    t.is(exitCode, 0);
    t.is(stdout, `${name}: accepted by the device\n`);
  }
  for (const name of ['older.signed', 'older.gz.signed']) {
    const { exitCode, error, stdout } = await verify(folder, name, '--device', 'device.json', '--json');
    t.is(exitCode, 3);
    t.regex(error?.message ?? '', /guard-security-version.*security version 1/);
    t.like(JSON.parse(stdout), { accepted: false, format: 'current' });
    t.is((await verify(folder, name, '--device', 'plain.json')).exitCode, 0);
  }
  // Only the guard checks the flash mode, the flash size and the inflated size of compressed data.
  const unsafe: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ flashMode: 'dout' }, 'flash-mode-gz'],
    [{ chipSizeBytes: 0x80000 }, 'flash-size'],
    [{ fsStart: 0x1000 }, 'inflate-over-fs'],
  ];
  for (const [fact, rule] of unsafe) {
    const facts = { core: '3.1.2', signing: 'required', flashMode: 'qio', keyFingerprint: fingerprint, ...fact };
    await folder.write('other.json', JSON.stringify({ ...facts, guard }));
    const rejected = await verify(folder, 'same.gz.signed', '--device', 'other.json');
    t.is(rejected.exitCode, 3, rule);
    t.regex(rejected.error?.message ?? '', new RegExp(rule));
    await folder.write('other.json', JSON.stringify(facts));
    t.is((await verify(folder, 'same.gz.signed', '--device', 'other.json')).exitCode, 0, rule);
  }
  const { exitCode, error } = await verify(folder, 'unsigned.bin', '--device', 'device.json');
  t.is(exitCode, 3);
  t.regex(error?.message ?? '', /unsigned-to-signed/);
});

test('verify shows the commit, the builder, and the versions of the tool and the core from the manifest', async (t) => {
  const commit = 'a'.repeat(40);
  const folder = await testFolder(t, {
    'private.key': door.privatePem,
    'public.key': door.publicPem,
    'door.bin': door.bin,
    'door.elf': door.elf,
    '.git/HEAD': `${commit}\n`,
    '.git/objects/.keep': '',
  });
  const env = { CI_JOB_URL: 'https://gitlab.com/ada/door/-/jobs/5' };
  t.is((await runCommand(['pack', 'door.bin'], { cwd: folder.path, env })).error, undefined);
  const { core } = JSON.parse(await folder.text('door.bin.ota.json')).image;
  const lines = [
    `source commit: ${commit}`,
    `builder: ${env.CI_JOB_URL}`,
    'packed with: ota-hooks ',
    `core: ${core ?? 'not recognized'}`,
  ];
  const { stdout } = await verify(folder, 'door.bin.signed');
  for (const line of lines) t.true(stdout.includes(`\n  ${line}`), `${line}: ${stdout}`);
  const { provenance } = JSON.parse((await verify(folder, 'door.bin.signed', '--json')).stdout);
  t.like(provenance, { sourceCommit: commit, builder: env.CI_JOB_URL, core: core ?? null });

  // The manifest does not list the bytes of another file.
  await folder.write('door.bin', Buffer.concat([door.bin, Buffer.alloc(4)]));
  t.is(
    (await runCommand(['sign', '--bin', 'door.bin', '--out', 'door.bin.signed'], { cwd: folder.path })).error,
    undefined,
  );
  t.is(JSON.parse((await verify(folder, 'door.bin.signed', '--json')).stdout).provenance, null);
});
