import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { artifactsOf, environment, isSignedWith, makeKeys, makeProject, placeKeys } from './project.ts';

const keys = makeKeys();
const signed = ['.gz', '.signed', '.gz.signed', '.ota.json'];
const packedAgain = { exitCode: 0, made: ['Packing firmware.bin'], started: ['pack'] };

test.serial('restores a deleted or changed artifact without rebuilding other files', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, keys);
  await project.run();
  const image = project.built('firmware.bin');
  for (const suffix of signed) {
    await rm(image + suffix);
    t.like(await project.run(), packedAgain, suffix);
    t.deepEqual(artifactsOf(image), signed);
  }
  await writeFile(`${image}.signed`, 'not what was signed');
  t.like(await project.run(), packedAgain);
  t.true(await isSignedWith(`${image}.signed`, keys));

  await rm(image);
  t.deepEqual((await project.run()).made, ['Building firmware.bin', 'Packing firmware.bin']);
});

test.serial('a changed sketch produces new signed artifacts', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, keys);
  await project.run();
  const before = await readFile(project.built('firmware.bin.signed'));
  await project.write(
    'src/main.cpp',
    '#include <ESP8266WiFi.h>\nvoid setup() { WiFi.begin("b", "c"); }\nvoid loop() { delay(7); }\n',
  );
  const run = await project.run();
  t.deepEqual(run.started, ['pack'], run.output);
  t.true(await isSignedWith(project.built('firmware.bin.signed'), keys));
  t.notDeepEqual(await readFile(project.built('firmware.bin.signed')), before);
});

test.serial('supports spaces and umlauts in every path, and a custom program name', async (t) => {
  const project = await makeProject(t, {
    name: 'Süßes Projekt (1) & 2',
    lines: [
      '  pre:program name.py',
      'custom_ota_private_key = Schlüssel & Co/privat.key',
      'custom_ota_public_key = Schlüssel & Co/öffentlich.key',
    ],
  });
  await project.write('program name.py', 'Import("env")\nenv.Replace(PROGNAME="mein-gerät")\n');
  await project.write('Schlüssel & Co/privat.key', keys.privateKey);
  await project.write('Schlüssel & Co/öffentlich.key', keys.publicKey);
  const run = await project.run();
  t.is(run.exitCode, 0, run.output);
  t.true(await isSignedWith(project.built('mein-gerät.bin.gz.signed'), keys));
  t.like(await project.run(), { made: [], started: [] });
});

test.serial(
  'clean removes all outputs without starting the CLI, and the build cache restores only images',
  async (t) => {
    const project = await makeProject(t, {
      ini: ['[platformio]', 'build_cache_dir = .cache', '[env:d1]', ...environment].join('\n'),
    });
    const other = makeKeys();
    await placeKeys(project, keys);
    t.is((await project.run()).exitCode, 0);

    t.like(await project.run('-t', 'clean'), { exitCode: 0, started: [] });
    t.false(existsSync(project.built('')));

    const cached = await project.run();
    t.deepEqual(cached.started, ['header', 'pack'], cached.output);
    t.regex(cached.output, /Retrieved .*firmware\.bin' from cache/);
    t.true(await isSignedWith(project.built('firmware.bin.signed'), keys));

    await placeKeys(project, other);
    await project.run('-t', 'clean');
    t.is((await project.run()).exitCode, 0, 'cached artifacts for the old key are not used with the new key');
    t.true(await isSignedWith(project.built('firmware.bin.signed'), other));
  },
);

test.serial('with board_build.gzip_fw, signs the compressed image and the image inside it', async (t) => {
  const allow = ['custom_ota_allow =', '    no-ota: the last update of this device', '    fs-moved: no data is kept'];
  const project = await makeProject(t, { lines: ['board_build.gzip_fw = yes', ...allow] });
  await placeKeys(project, keys);
  const run = await project.run();
  t.is(run.exitCode, 0, run.output);
  const image = project.built('firmware.bin');
  t.deepEqual(artifactsOf(image), ['.raw', '.signed', '.raw.signed', '.ota.json']);
  t.true(await isSignedWith(`${image}.signed`, keys));
  t.true(await isSignedWith(`${image}.raw.signed`, keys));
  const bytes = await readFile(`${image}.signed`);
  t.is((bytes.length - 260) % 4, 0, 'devices on core 3.1 reject a signed gzip artifact of any other length');
  t.deepEqual(gunzipSync(bytes.subarray(0, -260)), await readFile(`${image}.orig`));
  t.like(JSON.parse(await readFile(`${image}.ota.json`, 'utf8')), {
    enforcement: 'elf',
    allowedRules: [
      { rule: 'no-ota', reason: 'the last update of this device' },
      { rule: 'fs-moved', reason: 'no data is kept' },
    ],
  });
  t.regex(run.output, /the project allows the rule no-ota: the last update of this device/);
  t.like(await project.run(), { made: [], started: [] });
});

test.serial('signs and compresses a filesystem image, and signs the compressed form only on request', async (t) => {
  // espota.py shows what PlatformIO would send; the tool's own uploads are tested in upload.test.ts.
  const project = await makeProject(t, { lines: ['custom_ota_upload = no'] });
  await placeKeys(project, keys);
  await project.write('data/index.html', '<h1>It works</h1>');
  const run = await project.run('-t', 'buildfs');
  t.is(run.exitCode, 0, run.output);
  const image = project.built('littlefs.bin');
  t.deepEqual(artifactsOf(image), ['.gz', '.signed', '.ota.json']);
  t.true(await isSignedWith(`${image}.signed`, keys));
  t.like(JSON.parse(await readFile(`${image}.ota.json`, 'utf8')), { image: { kind: 'filesystem' } });
  t.deepEqual((await project.run('-t', 'buildfs')).started, [], 'PlatformIO rebuilds the image with the same content');

  await rm(`${image}.signed`);
  const upload = await project.run('-t', 'uploadfs', '--upload-port', '192.0.2.7');
  t.regex(upload.output, /espota would send littlefs\.bin\.signed/);

  await project.write('ota.config.json', '{"signCompressedFilesystem": true}');
  await project.run('-t', 'buildfs');
  t.true(await isSignedWith(`${image}.gz.signed`, keys));
});

test.serial('custom_ota_unsigned builds unsigned artifacts with only the public key', async (t) => {
  const project = await makeProject(t, { lines: ['custom_ota_unsigned = yes'] });
  await project.write('public.key', keys.publicKey);
  t.is((await project.run()).exitCode, 0);
  t.deepEqual(artifactsOf(project.built('firmware.bin')), ['.gz', '.ota.json']);
  t.like(JSON.parse(await readFile(project.built('firmware.bin.ota.json'), 'utf8')), {
    enforcement: 'elf',
    signing: { publicKey: { bits: 2048 } },
  });
});
