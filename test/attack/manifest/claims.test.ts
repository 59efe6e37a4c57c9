import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { Manifest } from '../../../src/core/model/manifest.ts';
import type { ErrorCode } from '../../../src/errors/ota-error.ts';
import { builtSketch, door, elfWithoutVerifier } from '../../support/built-sketch.ts';
import { rsaPems } from '../../support/key-pairs.ts';
import { runCommand } from '../../support/run-command.ts';
import { type TestFolder, testFolder } from '../../support/test-folder.ts';
import { twoKeyBuild } from '../../support/two-key-build.ts';

const image = 'door.ino.bin';
const gzip = `${image}.gz`;
const elf = 'door.ino.elf';
const manifestName = `${image}.ota.json`;

/** The key and the files that a build machine hands over. */
async function handedOver(t: ExecutionContext): Promise<{ vault: TestFolder; manifest: Manifest }> {
  const builder = await builtSketch(t);
  const argv = ['pack', `build/${image}`, '--source', 'build', '--unsigned', '--public-key', 'public.key'];
  const { exitCode, stderr } = await runCommand(argv, { cwd: builder.path });
  t.is(exitCode, 0, stderr);
  const vault = await testFolder(t, { 'private.key': door.privatePem });
  for (const name of [elf, image, gzip, manifestName]) await vault.write(name, await builder.read(`build/${name}`));
  return { vault, manifest: JSON.parse(await vault.text(manifestName)) };
}

function sign(folder: TestFolder, ...argv: string[]) {
  return runCommand(['sign', '--private-key', 'private.key', '--manifest', manifestName, ...argv], {
    cwd: folder.path,
  });
}

const otherKey = rsaPems(2048);

interface Lie {
  readonly files?: Readonly<Record<string, Uint8Array | undefined>>;
  readonly change?: (manifest: Manifest) => object;
  readonly code: ErrorCode;
  readonly exitCode: number;
}

const described = { code: 'BUILD_NOT_AS_DESCRIBED', exitCode: 1 } as const;
const shown = { code: 'PROOF_NOT_SHOWN', exitCode: 3 } as const;

/** Replaces a file and states its real digests, as a build machine under an attacker's control would. */
function withFile(name: string, bytes: Uint8Array): Pick<Lie, 'files' | 'change'> {
  const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
  const facts = { sizeBytes: bytes.length, md5: digest('md5'), sha256: digest('sha256') };
  return {
    files: { [name]: bytes },
    change: (manifest) => ({
      image: name === image ? { ...manifest.image, ...facts } : manifest.image,
      artifacts: manifest.artifacts.map((each) =>
        each.file === name ? { ...each, ...facts, payloadBytes: bytes.length } : each,
      ),
    }),
  };
}

/** The sketch without the project's key. */
function withoutKey(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  const pem = copy.indexOf('-----BEGIN PUBLIC KEY-----');
  return copy.fill(0x20, pem, copy.indexOf('-----END PUBLIC KEY-----', pem));
}

const lies: Readonly<Record<string, Lie>> = {
  'an image without the key that the manifest claims': { ...withFile(image, withoutKey(door.bin)), ...described },
  'a key that the image does not contain': {
    change: ({ embeddedKeys }) => ({ embeddedKeys: ['0'.repeat(64), ...embeddedKeys] }),
    ...described,
  },
  'that the image contains no key': {
    change: () => ({ embeddedKeys: [] }),
    code: 'ENFORCEMENT_KEY_MISSING',
    exitCode: 1,
  },
  'a different core': { change: ({ image }) => ({ image: { ...image, core: '2.7.4' } }), ...described },
  'a different flash mode': { change: ({ image }) => ({ image: { ...image, flashMode: 'qio' } }), ...described },
  'no findings': {
    change: ({ image }) => ({ image: { ...image, findings: [{ id: 'x', message: 'y' }] } }),
    ...described,
  },
  'sketch MD5s of a different build': {
    change: ({ image }) => ({ image: { ...image, sketchMd5s: [] } }),
    ...described,
  },
  'a different size': { change: ({ image }) => ({ image: { ...image, sizeBytes: 1 } }), ...described },
  'a sketch that is a filesystem': {
    change: ({ image }) => ({ image: { ...image, kind: 'filesystem', sketchMd5s: [] } }),
    ...described,
  },
  'a compressed file with different content': {
    ...withFile(gzip, gzipSync(Buffer.from('another program'))),
    ...described,
  },
  'that devices verify signatures, but no key': {
    change: ({ signing }) => ({ signing: { ...signing, publicKey: undefined } }),
    ...described,
  },
  'the fingerprint of a different key': {
    change: ({ signing }) => ({
      signing: { ...signing, publicKey: { ...signing.publicKey, pem: otherKey.publicPem } },
    }),
    ...described,
  },
  'a proof from an ELF file that was not provided': { files: { [elf]: undefined }, ...shown },
  'a proof from the ELF file of a different build': { files: { [elf]: Buffer.from('not an ELF') }, ...shown },
  'a proof from an ELF file without the verifier': { files: { [elf]: elfWithoutVerifier() }, ...shown },
  'a declaration that only a person can make': { change: () => ({ enforcement: 'declared' }), ...shown },
  'symbols that the ELF file does not contain': {
    change: ({ image }) => ({ image: { ...image, symbols: { updater: false, filesystem: true } } }),
    ...shown,
  },
  'a different flash layout': {
    change: ({ image }) => ({ image: { ...image, layout: { fsStart: 0x100000, fsEnd: 0x1fa000 } } }),
    ...shown,
  },
};

/** Signs the true manifest, then the one with the false claim. */
async function rejectsLie(t: ExecutionContext, lieAbout: (vault: TestFolder) => Promise<Lie>): Promise<void> {
  const { vault, manifest } = await handedOver(t);
  const { files = {}, change, code, exitCode } = await lieAbout(vault);
  t.is((await sign(vault)).exitCode, 0, 'the true manifest is signed');
  for (const name of [`${image}.signed`, `${gzip}.signed`]) await rm(vault.at(name));
  for (const [name, bytes] of Object.entries(files)) {
    await (bytes === undefined ? rm(vault.at(name)) : vault.write(name, bytes));
  }
  await vault.write(manifestName, JSON.stringify({ ...manifest, ...change?.(manifest) }));
  const run = await sign(vault);
  t.is(run.error?.code, code, run.error?.message);
  t.is(run.exitCode, exitCode);
  t.false((await vault.list()).some((name) => name.endsWith('.signed')));
}

for (const [what, lie] of Object.entries(lies)) {
  test(`does not sign a manifest that claims ${what}`, (t) => rejectsLie(t, async () => lie));
}

const flaws: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  'a second member': (bytes) => Buffer.concat([bytes, gzipSync(Buffer.from('another program'))]),
  'trailing data': (bytes) => Buffer.concat([bytes, Buffer.from('other data')]),
  'an incorrect CRC': (bytes) => Buffer.concat([bytes.subarray(0, -8), Buffer.alloc(4), bytes.subarray(-4)]),
  'an incorrect size': (bytes) => Buffer.concat([bytes.subarray(0, -4), Buffer.alloc(4)]),
};

for (const [what, flaw] of Object.entries(flaws)) {
  test(`does not sign a compressed file with ${what}`, (t) =>
    rejectsLie(t, async (vault) => ({ ...withFile(gzip, flaw(Buffer.from(await vault.read(gzip)))), ...described })));
}

test('does not sign if the Updater in the ELF file uses a different key', async (t) => {
  const { bin, elf: program } = twoKeyBuild(otherKey.publicPem, door.publicPem);
  const folder = await testFolder(t, {
    'private.key': door.privatePem,
    'public.key': door.publicPem,
    [image]: bin,
    [elf]: twoKeyBuild(otherKey.publicPem, door.publicPem, true).elf,
  });
  const { stderr } = await runCommand(['pack', image, '--unsigned', '--public-key', 'public.key'], {
    cwd: folder.path,
  });
  t.regex(stderr, /several public keys/);
  const manifest = JSON.parse(await folder.text(manifestName));
  t.is(manifest.enforcement, 'unproven');
  await folder.write(manifestName, JSON.stringify({ ...manifest, enforcement: 'elf' }));
  await folder.write(elf, program);
  const run = await sign(folder);
  t.is(run.error?.code, 'PROOF_NOT_SHOWN', run.error?.message);
  t.regex(run.error?.message ?? '', /the Updater verifies updates with the key/);
});

test('signs a sketch with declared enforcement if the signer also declares it', async (t) => {
  const { vault, manifest } = await handedOver(t);
  await vault.write(manifestName, JSON.stringify({ ...manifest, enforcement: 'declared' }));
  t.is((await sign(vault, '--declare-enforcement')).exitCode, 0);
});

test('does not sign for a key that the signer does not have', async (t) => {
  const { vault } = await handedOver(t);
  await vault.write('private.key', otherKey.privatePem);
  t.is((await sign(vault)).error?.code, 'KEYS_DONT_MATCH');
});
