/** Builds of guarded projects by the real PlatformIO. */
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { productDigest } from '../../../src/core/firmware/update-metadata.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { isSignedWith, makeKeys, makeProject, type Project, placeKeys, sketch } from './project.ts';

const [ours, backup] = [makeKeys(), makeKeys()];
const fingerprints = [ours, backup].map(({ publicKey }) => readPublicKey(publicKey, 'a key of the test').fingerprint);

/** Writes the configuration of a project with two keys. */
async function configure(project: Project, guard: object | undefined): Promise<void> {
  const [main, vault] = fingerprints;
  const keys = [
    { name: 'main', publicKey: 'public.key', fingerprint: main, role: 'signing' },
    { name: 'vault', publicKey: 'vault.key', fingerprint: vault, role: 'backup' },
  ];
  await project.write('vault.key', backup.publicKey);
  await project.write('ota.config.json', JSON.stringify({ project: 'door', guard, keys }));
}

test.serial('builds the guard of the configuration into the firmware, and proves it with the ELF file', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, ours);
  const image = project.built('firmware.bin');
  const build = async (guard: object | undefined) => {
    await configure(project, guard);
    const run = await project.run();
    t.is(run.exitCode, 0, run.output);
    return { output: run.output, manifest: JSON.parse(await readFile(`${image}.ota.json`, 'utf8')) };
  };

  const first = await build({ product: 'door', securityVersion: 1 });
  t.regex(first.output, /Enabling binary signing, with the guard \(2 keys\)/);
  const guard = { keys: fingerprints, product: productDigest('door'), securityVersion: 1, require: 'signature' };
  t.like(first.manifest, { enforcement: 'elf', image: { guard }, metadata: { product: 'door', raw: true } });
  t.true(await isSignedWith(`${image}.signed`, ours));
  t.true(await isSignedWith(`${image}.gz.signed`, ours));

  const second = await build({ product: 'door', securityVersion: 2, require: 'metadata' });
  t.like(second.manifest, {
    enforcement: 'elf',
    image: { guard: { ...guard, securityVersion: 2, require: 'metadata' } },
  });
  const plain = await build(undefined);
  t.is(plain.manifest.image.guard, undefined);
  t.is(plain.manifest.enforcement, 'elf');
});

test.serial('stops the build of guarded firmware that installs its own verifier', async (t) => {
  const own = sketch.replace('void setup() {', 'void setup() { Update.installSignature(nullptr, nullptr);');
  const project = await makeProject(t, { sketch: `#include <Updater.h>\n${own}` });
  await placeKeys(project, ours);
  await configure(project, { product: 'door' });
  const stopped = await project.run();
  t.not(stopped.exitCode, 0);
  t.regex(stopped.output, /GUARD_REPLACED[\s\S]*main\.cpp:3/);
});
