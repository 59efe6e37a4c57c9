import { readFile } from 'node:fs/promises';
import test from 'ava';
import { artifactsOf, environment, isSignedWith, makeKeys, makeProject, placeKeys } from './project.ts';

const first = makeKeys();
const second = makeKeys();
const nothing = { exitCode: 0, made: [], started: [] };
/** Steps after a key change: the header, the two files that include it, and all files linked from them. */
const newKeySteps = [
  'Archiving libESP8266WiFi.a',
  'Archiving libFrameworkArduino.a',
  'Building firmware.bin',
  'Compiling BearSSLHelpers.cpp.o',
  'Compiling Updater.cpp.o',
  'Generating Updater_Signing.h',
  'Linking firmware.elf',
  'Packing firmware.bin',
];

test.serial('signs with the current keys after each change, and rebuilds only what depends on them', async (t) => {
  const project = await makeProject(t);
  const image = project.built('firmware.bin');
  const header = () => readFile(project.built('ota/Updater_Signing.h'), 'utf8');

  const unsigned = await project.run();
  t.is(unsigned.exitCode, 0, unsigned.output);
  t.true(unsigned.made.includes('Compiling main.cpp.o'));
  t.deepEqual(unsigned.started, ['header', 'pack']);
  t.regex(await header(), /#define ARDUINO_SIGNING 0/);
  t.deepEqual(artifactsOf(image), ['.gz', '.ota.json']);
  t.like(await project.run(), nothing);

  await placeKeys(project, first);
  const signed = await project.run();
  t.deepEqual(signed.made, newKeySteps, signed.output);
  t.regex(signed.output, /Enabling binary signing/);
  t.regex(signed.output, /Signed binary: .*firmware\.bin\.signed/);
  t.regex(await header(), /#define ARDUINO_SIGNING 1/);
  t.deepEqual(artifactsOf(image), ['.gz', '.signed', '.gz.signed', '.ota.json']);
  t.true(await isSignedWith(`${image}.signed`, first));
  t.true(await isSignedWith(`${image}.gz.signed`, first));
  t.like(JSON.parse(await readFile(`${image}.ota.json`, 'utf8')), { enforcement: 'elf', board: 'd1_mini' });
  t.like(await project.run(), nothing);

  await placeKeys(project, first);
  t.like(await project.run(), nothing, 'rewriting the same keys causes no rebuild');

  await placeKeys(project, second);
  t.deepEqual((await project.run()).made, newKeySteps);
  t.true(await isSignedWith(`${image}.signed`, second));
  t.like(await project.run(), nothing);

  await project.remove('private.key');
  const elsewhere = await project.run();
  t.deepEqual(
    elsewhere.made,
    ['Generating Updater_Signing.h', 'Packing firmware.bin'],
    'the public key has not changed',
  );
  t.deepEqual(artifactsOf(image), ['.gz', '.ota.json'], 'artifacts signed with the removed key were removed');

  await project.remove('public.key');
  t.deepEqual((await project.run()).made, newKeySteps);
  t.regex(await header(), /#define ARDUINO_SIGNING 0/);
});

test.serial('keeps keys, options and artifacts of two environments separate', async (t) => {
  const project = await makeProject(t, {
    ini: [
      '[env]',
      ...environment,
      '[env:d1]',
      'custom_ota_private_key = keys/first.key',
      'custom_ota_public_key = keys/first.pub',
      '[env:second]',
      'custom_ota_private_key = keys/second.key',
      'custom_ota_public_key = keys/second.pub',
      'custom_ota_compression = none',
      'custom_ota_legacy = yes',
    ].join('\n'),
  });
  await project.write('keys/first.key', first.privateKey);
  await project.write('keys/first.pub', first.publicKey);
  await project.write('keys/second.key', second.privateKey);
  await project.write('keys/second.pub', second.publicKey);

  const run = await project.run();
  t.is(run.exitCode, 0, run.output);
  t.true(await isSignedWith(project.built('firmware.bin.signed'), first));
  const other = project.path('.pio/build/second/firmware.bin');
  t.true(await isSignedWith(`${other}.signed`, second));
  t.deepEqual(artifactsOf(other), ['.signed', '.legacy_sig', '.ota.json']);
  t.like(await project.run(), nothing);

  await project.write('keys/second.key', first.privateKey);
  await project.write('keys/second.pub', first.publicKey);
  t.deepEqual(
    (await project.run()).started,
    ['header', 'pack'],
    'only the environment with the changed key is rebuilt',
  );
  t.true(await isSignedWith(`${other}.signed`, first));
});

test.serial('rebuilds when keys named in the configuration change, in files and in the environment', async (t) => {
  const project = await makeProject(t);
  const image = project.built('firmware.bin');
  await project.write('keys/signing key.pem', first.privateKey);
  await project.write(
    'ota.config.json',
    JSON.stringify({ privateKey: 'keys/signing key.pem', publicKey: { env: 'PUBLIC_KEY' } }),
  );
  const withKey = (publicKey: string) => project.runWith({ PUBLIC_KEY: publicKey });

  const run = await withKey(first.publicKey);
  t.is(run.exitCode, 0, run.output);
  t.true(await isSignedWith(`${image}.signed`, first));
  t.like(await withKey(first.publicKey), nothing);

  await project.write('keys/signing key.pem', second.privateKey);
  t.is((await withKey(first.publicKey)).exitCode, 1, 'the keys do not match');
  t.deepEqual(artifactsOf(image), []);
  t.is((await withKey(second.publicKey)).exitCode, 0);
  t.true(await isSignedWith(`${image}.signed`, second));
  t.like(await withKey(second.publicKey), nothing);
});

test.serial('starts the CLI in every build with a YAML configuration, which only the CLI can read', async (t) => {
  const project = await makeProject(t);
  await project.write('keys/private.key', first.privateKey);
  await project.write('.otarc.yaml', 'privateKey: keys/private.key\n');
  const always = { exitCode: 0, started: ['header', 'pack'] };
  t.like(await project.run(), always);
  t.true(await isSignedWith(project.built('firmware.bin.signed'), first));
  const again = await project.run();
  t.like(again, always);
  t.deepEqual(again.made, ['Generating Updater_Signing.h', 'Packing firmware.bin'], 'the header did not change');
});
