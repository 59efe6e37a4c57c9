import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { allArtifacts, artifactsOf, isSignedWith, makeKeys, placeKeys } from '../arduino/workplace.ts';
import { makeSkeletonSketch } from './arduino-skeleton.ts';
import { placeSecrets } from './parts.ts';
import { makeSkeletonProject } from './platformio-skeleton.ts';

const keys = makeKeys();

test('the PlatformIO skeleton builds signed firmware that contains its version, with local secrets', async (t) => {
  const project = await makeSkeletonProject(t);
  await placeKeys(project.folder, keys);
  await placeSecrets(project.path('include'));

  const built = await project.run();

  t.is(built.exitCode, 0, built.output);
  const image = project.path('.pio/build/d1_mini/firmware.bin');
  t.true(await isSignedWith(`${image}.signed`, keys));
  t.true(await isSignedWith(`${image}.gz.signed`, keys));
  const manifest = JSON.parse(await readFile(`${image}.ota.json`, 'utf8'));
  t.like(manifest, { project: 'my-device', version: '0.1.0', board: 'd1_mini' });
  t.is(manifest.enforcement, 'elf');
  t.true((await readFile(image)).includes('Version 0.1.0'));
});

test('the arduino-cli skeleton builds signed firmware for the board in sketch.yaml, without secrets', async (t) => {
  const { workplace, sketch } = await makeSkeletonSketch(t);
  await placeKeys(sketch, keys);

  const build = join(workplace.folder, 'build');
  const built = await workplace.run('build', '--source', sketch, '--', '--build-path', build);

  t.is(built.exitCode, 0, built.output);
  const image = join(build, 'firmware.ino.bin');
  t.deepEqual(await artifactsOf(image), allArtifacts);
  t.true(await isSignedWith(`${image}.signed`, keys));
  const manifest = JSON.parse(await readFile(`${image}.ota.json`, 'utf8'));
  t.like(manifest, { project: 'my-device', version: '0.1.0', board: 'd1_mini' });
});

test('a skeleton without an update URL and secrets does not compile', async (t) => {
  const project = await makeSkeletonProject(t, (program) =>
    program.replace(/updateUrl\[\] = ".*"/, 'updateUrl[] = ""'),
  );
  const built = await project.run();
  t.not(built.exitCode, 0);
  t.regex(built.output, /static assertion failed: This firmware could not be updated again/);
});
