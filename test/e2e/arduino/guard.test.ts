/** Builds of guarded projects by the real arduino-cli. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { productDigest } from '../../../src/core/firmware/update-metadata.ts';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { isSignedWith, makeKeys, makeWorkplace, placeKeys, sketchText, willVerify } from './workplace.ts';

const [ours, backup] = [makeKeys(), makeKeys()];
const fingerprints = [ours, backup].map(({ publicKey }) => readPublicKey(publicKey, 'a key of the test').fingerprint);

/** Writes the configuration of a project with two keys. */
async function configure(sketch: string, guard: object | undefined): Promise<void> {
  const [main, vault] = fingerprints;
  const keys = [
    { name: 'main', publicKey: 'public.key', fingerprint: main, role: 'signing' },
    { name: 'vault', publicKey: 'vault.key', fingerprint: vault, role: 'backup' },
  ];
  await writeFile(join(sketch, 'vault.key'), backup.publicKey);
  await writeFile(join(sketch, 'ota.config.json'), JSON.stringify({ project: 'door', guard, keys }));
}

test.serial('builds the guard of the configuration into the sketch, and proves it with the ELF file', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, ours);
  const build = async (guard: object | undefined) => {
    await configure(sketch, guard);
    const run = await workplace.build(sketch);
    t.is(run.exitCode, 0, run.output);
    return { output: run.output, manifest: JSON.parse(await workplace.manifest(sketch)) };
  };

  const first = await build({ product: 'door', securityVersion: 1 });
  const image = await workplace.image(sketch);
  t.regex(first.output, /Enabling binary signing, with the guard \(2 keys\)/);
  const guard = { keys: fingerprints, product: productDigest('door'), securityVersion: 1, require: 'signature' };
  t.like(first.manifest, { enforcement: 'elf', image: { guard }, metadata: { product: 'door', raw: true } });
  t.true(await isSignedWith(`${image}.signed`, ours));
  t.true(await isSignedWith(`${image}.gz.signed`, ours));
  const facts = join(workplace.folder, 'device.json');
  await writeFile(facts, JSON.stringify({ core: '3.1.2', signing: 'required', guard: first.manifest.image.guard }));
  const verdict = await workplace.run('verify', `${image}.signed`, '--device', facts);
  t.is(verdict.exitCode, 0, verdict.output);

  // The guard is in a library and in core.a, which arduino-cli caches.
  const second = await build({ product: 'door', securityVersion: 2, require: 'metadata' });
  t.like(second.manifest, {
    enforcement: 'elf',
    image: { guard: { ...guard, securityVersion: 2, require: 'metadata' } },
  });
  const plain = await build(undefined);
  t.notRegex(plain.output, /guard/);
  t.is(plain.manifest.image.guard, undefined);
  t.true(await willVerify(image, ours));
});

test.serial('stops the build of a guarded sketch that installs its own verifier', async (t) => {
  const workplace = await makeWorkplace(t);
  const own = sketchText.replace('void setup() {', 'void setup() { Update.installSignature(nullptr, nullptr);');
  const sketch = await workplace.sketch('door', `#include <Updater.h>\n${own}`);
  await placeKeys(sketch, ours);
  await configure(sketch, { product: 'door' });
  const stopped = await workplace.build(sketch);
  t.not(stopped.exitCode, 0);
  t.regex(stopped.output, /GUARD_REPLACED[\s\S]*door\.ino:3/);
});

test.serial('rejects an image whose core.a was compiled without the guard', async (t) => {
  const workplace = await makeWorkplace(t);
  const sketch = await workplace.sketch('door');
  await placeKeys(sketch, ours);
  await configure(sketch, { product: 'door' });
  // A core that ignores the generated header leaves the guard without references in the image.
  const updater = join(workplace.core, 'cores', 'esp8266', 'Updater.cpp');
  const text = await readFile(updater, 'utf8');
  await writeFile(updater, text.replace('#include <Updater_Signing.h>', '#define ARDUINO_SIGNING 0'));
  const run = await workplace.build(sketch);
  t.not(run.exitCode, 0);
  t.regex(run.output, /ENFORCEMENT_VERIFIER_MISSING/);
});
