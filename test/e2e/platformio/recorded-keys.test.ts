/** A PlatformIO build never ends unsigned without a message: it fails without the recorded key, or reports what is missing. */
import { existsSync } from 'node:fs';
import test from 'ava';
import { readPublicKey } from '../../../src/core/keys/public-key.ts';
import { makeKeys, makeProject, placeKeys } from './project.ts';

const keys = makeKeys();
const { fingerprint } = readPublicKey(keys.publicKey, 'public.key');
const record = { name: 'main', publicKey: 'public.key', fingerprint, role: 'signing' };

test('a build reports a project without keys, and fails if the recorded keys are lost', async (t) => {
  const project = await makeProject(t);
  const unconfigured = await project.run();
  t.is(unconfigured.exitCode, 0, unconfigured.output);
  t.true(unconfigured.output.includes(`Not enabling binary signing: no public.key in ${project.folder}`));

  await project.write('ota.config.json', JSON.stringify({ keys: [record] }));
  await placeKeys(project, keys);
  t.is((await project.run()).exitCode, 0);
  t.true(existsSync(project.built('firmware.bin.signed')));

  await project.remove('private.key');
  const elsewhere = await project.run();
  t.is(elsewhere.exitCode, 0, elsewhere.output);
  t.regex(elsewhere.output, /^Not signed here: sign with ota-hooks sign --manifest \S+ --private-key FILE$/m);

  await project.write('ota.config.json', JSON.stringify({ keys: [record], signing: 'required' }));
  const required = await project.run();
  t.not(required.exitCode, 0);
  t.regex(required.output, /SIGNING_REQUIRED/);

  await project.remove('public.key');
  for (const lost of [await project.run(), await project.build()]) {
    t.not(lost.exitCode, 0);
    t.regex(lost.output, /KEY_NOT_RECORDED.*"main", fingerprint/);
    for (const suffix of ['.signed', '.gz.signed', '.ota.json'])
      t.false(existsSync(project.built(`firmware.bin${suffix}`)));
  }
});

test('custom_ota_require_signed and ota-hooks build --require-signed make an unsigned build fail', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, keys);
  await project.remove('private.key');
  t.is((await project.run()).exitCode, 0);
  const required = await project.build('--require-signed');
  t.not(required.exitCode, 0);
  t.regex(required.output, /SIGNING_REQUIRED/);
  const byOption = await makeProject(t, { lines: ['custom_ota_require_signed = yes'] });
  t.regex((await byOption.run()).output, /SIGNING_REQUIRED/);
});
