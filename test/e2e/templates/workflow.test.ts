import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { isSignedWith, makeKeys, placeKeys } from '../arduino/workplace.ts';
import { arduinoCli } from '../provision/arduino-cli.ts';
import { makeSkeletonSketch } from './arduino-skeleton.ts';
import { makeSkeletonProject } from './platformio-skeleton.ts';
import { placeCommand, runJob } from './workflow-job.ts';

const [keys, otherKeys] = [makeKeys(), makeKeys()];
const platformio = 'github-platformio.yml';
const tag = { GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v0.1.0' };

test.serial('the PlatformIO workflow builds without the private key and signs without the sources', async (t) => {
  const project = await makeSkeletonProject(t);
  await placeKeys(project.folder, keys, 'public');
  await placeCommand(project.folder);
  const core = join(dirname(project.folder), 'core');

  const built = await runJob('build', {
    workflow: platformio,
    folder: project.folder,
    env: { ...tag, PLATFORMIO_CORE_DIR: core },
  });
  t.is(built.failed, undefined, built.output);
  t.deepEqual((await readdir(project.path('release'))).sort(), [
    'SHA256SUMS',
    'firmware.bin',
    'firmware.bin.gz',
    'firmware.bin.ota.json',
    'firmware.elf',
  ]);

  const signer = await placeOfSigning('signing');
  const signed = await runJob('sign', {
    workflow: platformio,
    folder: signer,
    env: { OTA_PRIVATE_KEY: keys.privateKey },
    needs: { sums: built.outputs['sums'] ?? '' },
  });
  t.is(signed.failed, undefined, signed.output);
  t.true(await isSignedWith(join(signer, 'release/firmware.bin.signed'), keys));
  t.true(await isSignedWith(join(signer, 'release/firmware.bin.gz.signed'), keys));
  t.deepEqual(await readdir(join(signer, 'temp')), [], 'the private key was deleted');
  t.false(signed.output.includes('PRIVATE KEY'));

  const changed = await placeOfSigning('changed');
  await writeFile(join(changed, 'release/firmware.bin'), 'another firmware');
  const refused = await runJob('sign', {
    workflow: platformio,
    folder: changed,
    env: { OTA_PRIVATE_KEY: keys.privateKey },
    needs: { sums: built.outputs['sums'] ?? '' },
  });
  t.is(refused.failed, 'Check that these are the files from the build job');

  const wrongKey = await placeOfSigning('wrong-key');
  const unsigned = await runJob('sign', {
    workflow: platformio,
    folder: wrongKey,
    env: { OTA_PRIVATE_KEY: otherKeys.privateKey },
    needs: { sums: built.outputs['sums'] ?? '' },
  });
  t.is(unsigned.failed, 'Sign');
  t.deepEqual(await readdir(join(wrongKey, 'temp')), [], 'the private key was deleted although signing failed');

  const liar = await placeOfSigning('liar');
  await rm(join(liar, 'release/firmware.elf'));
  const sums = createHash('sha256')
    .update(await refreshSums(join(liar, 'release')))
    .digest('hex');
  const withoutElf = await runJob('sign', {
    workflow: platformio,
    folder: liar,
    env: { OTA_PRIVATE_KEY: keys.privateKey },
    needs: { sums },
  });
  t.is(withoutElf.failed, 'Sign');
  t.regex(withoutElf.output, /PROOF_NOT_SHOWN/);

  /** Folder of the sign job: the public key, the files from the build job, and the tool. */
  async function placeOfSigning(name: string): Promise<string> {
    const folder = join(dirname(project.folder), name);
    await mkdir(join(folder, 'temp'), { recursive: true });
    await cp(project.path('public.key'), join(folder, 'public.key'));
    await cp(project.path('release'), join(folder, 'release'), { recursive: true });
    await placeCommand(folder);
    return folder;
  }
});

/** Rewrites SHA256SUMS for the existing files, as a compromised build job would; returns the new text. */
async function refreshSums(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name !== 'SHA256SUMS').sort();
  const line = async (name: string) =>
    `${createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex')}  ${name}\n`;
  const text = (await Promise.all(names.map(line))).join('');
  await writeFile(join(folder, 'SHA256SUMS'), text);
  return text;
}

test.serial('the build job fails on a version mismatch, a missing public key or a committed private key', async (t) => {
  const project = await makeSkeletonProject(t);
  await placeKeys(project.folder, keys, 'public');
  await placeCommand(project.folder);
  const env = { ...tag, PLATFORMIO_CORE_DIR: join(dirname(project.folder), 'core') };

  const otherTag = await runJob('build', {
    workflow: platformio,
    folder: project.folder,
    env: { ...env, GITHUB_REF_NAME: 'v9.9.9' },
  });
  t.is(otherTag.failed, 'Check that the firmware verifies signatures');
  t.regex(otherTag.output, /The tag is v9\.9\.9, but the firmware version is 0\.1\.0/);

  await rm(project.path('public.key'));
  const withoutKey = await runJob('build', { workflow: platformio, folder: project.folder, env });
  t.is(withoutKey.failed, 'Check that the firmware verifies signatures');

  await placeKeys(project.folder, keys);
  const withPrivateKey = await runJob('build', { workflow: platformio, folder: project.folder, env });
  t.is(withPrivateKey.failed, 'Check that the private key is not committed');
});

test.serial('the arduino-cli workflow builds without the private key', async (t) => {
  const { workplace, sketch } = await makeSkeletonSketch(t);
  await placeKeys(sketch, keys, 'public');
  const folder = dirname(sketch);
  await placeCommand(folder);
  const at = (name: string) => join(workplace.folder, name);
  const env = {
    ...tag,
    ARDUINO_CLI: arduinoCli.program,
    ARDUINO_DIRECTORIES_DATA: at('data'),
    ARDUINO_DIRECTORIES_USER: at('user'),
    ARDUINO_DIRECTORIES_DOWNLOADS: at('downloads'),
    ARDUINO_BUILD_CACHE_PATH: at('cache'),
    ARDUINO_UPDATER_ENABLE_NOTIFICATION: 'false',
  };

  const built = await runJob('build', { workflow: 'github-arduino-cli.yml', folder, env });

  t.is(built.failed, undefined, built.output);
  t.regex(built.outputs['sums'] ?? '', /^[0-9a-f]{64}$/);
  const manifest = JSON.parse(await readFile(join(folder, 'release/firmware.ino.bin.ota.json'), 'utf8'));
  t.like(manifest, { project: 'my-device', version: '0.1.0', board: 'd1_mini', enforcement: 'elf' });
  t.deepEqual((await readdir(join(folder, 'release'))).sort(), [
    'SHA256SUMS',
    'firmware.ino.bin',
    'firmware.ino.bin.gz',
    'firmware.ino.bin.ota.json',
    'firmware.ino.elf',
  ]);
});
