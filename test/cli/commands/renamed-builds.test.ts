import { cp, mkdir, rename } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { readManifest } from '../../../src/core/model/manifest.ts';
import { builtSketch, door } from '../../support/built-sketch.ts';
import { doorFacts, listed, packedDoor, restarted, updatesOf, virtualDoor } from '../../support/fleet.ts';
import { type CommandRun, runCommand } from '../../support/run-command.ts';
import type { TestFolder } from '../../support/test-folder.ts';

const image = 'build/door.ino.bin';
const suffixes = ['', '.signed', '.gz', '.gz.signed', '.ota.json'];

function run(folder: TestFolder, ...argv: string[]): Promise<CommandRun> {
  return runCommand(argv, { cwd: folder.path });
}

/** A packed build with copies under another name, as build scripts make them. */
async function copiedBuild(t: ExecutionContext, to: string, devices: Readonly<Record<string, object>> = {}) {
  const folder = await packedDoor(t, devices);
  await mkdir(folder.at('release'), { recursive: true });
  for (const suffix of suffixes) await cp(folder.at(image + suffix), folder.at(to + suffix));
  return folder;
}

async function build(folder: TestFolder): Promise<readonly string[]> {
  return (await folder.list()).filter((name) => name.startsWith('build/'));
}

for (const name of ['release/DOOR_1.0.bin', 'release/door-1.0-d1_mini.ota.bin', 'build/heater.ino.d1-v3.2.bin']) {
  test(`upload accepts the artifacts and the manifest copied to ${name}`, async (t) => {
    const [whole, single] = [await virtualDoor(t), await virtualDoor(t)];
    const devices = { whole: listed(whole, { facts: doorFacts }), single: listed(single, { facts: doorFacts }) };
    const folder = await copiedBuild(t, name, devices);
    // The next build of the project has no effect on the copies.
    await folder.write(image, Buffer.concat([door.bin, Buffer.from('changed')]));
    const sent = async (file: string, host: string) => {
      const { exitCode, stdout, error } = await run(folder, 'upload', file, '--host', host, '--json');
      t.is(exitCode, 0, error?.message);
      return JSON.parse(stdout).devices[0].artifact;
    };
    const base = name.slice(name.indexOf('/') + 1);
    t.is(await sent(name, 'whole'), `${base}.gz.signed`);
    t.is(await sent(`${name}.signed`, 'single'), `${base}.signed`);
    for (const device of [whole, single]) await restarted(device);
  });
}

test('upload finds the build of a single renamed artifact by its digest, and rejects changed copies', async (t) => {
  const device = await virtualDoor(t);
  const folder = await packedDoor(t, { door: listed(device, { facts: doorFacts }) });
  await rename(folder.at(`${image}.gz.signed`), folder.at('build/update-for-the-web-page.bin'));
  for (const file of ['build/update-for-the-web-page.bin', `${image}.ota.json`]) {
    const { stdout, exitCode } = await run(folder, 'upload', file, '--all', '--json');
    t.is(exitCode, 0);
    t.is(JSON.parse(stdout).devices[0].artifact, 'update-for-the-web-page.bin');
    await restarted(device);
  }
  const copies = await copiedBuild(t, 'release/DOOR.bin', { door: listed(device, { facts: doorFacts }) });
  await copies.write('release/DOOR.bin.gz.signed', 'changed');
  t.is((await run(copies, 'upload', 'release/DOOR.bin', '--all')).error?.code, 'ARTIFACT_CHANGED');
  t.is(updatesOf(device).length, 2);
});

test('sign, publish and espota accept a renamed build', async (t) => {
  const folder = await builtSketch(t);
  await run(folder, 'pack', image, '--unsigned', '--project', 'door', '--firmware-version', '1.0');
  await mkdir(folder.at('release'));
  for (const suffix of ['', '.gz', '.ota.json'])
    await cp(folder.at(image + suffix), folder.at(`release/DOOR.bin${suffix}`));
  const options = ['--private-key', 'private.key', '--elf', 'build/door.ino.elf'];
  const signed = await run(folder, 'sign', '--manifest', 'release/DOOR.bin.ota.json', ...options);
  t.is(signed.exitCode, 0, signed.error?.message);
  const names = ['', '.gz', '.gz.signed', '.ota.json', '.signed'].map((suffix) => `release/DOOR.bin${suffix}`);
  t.deepEqual(
    (await folder.list()).filter((name) => name.startsWith('release/')),
    names,
  );
  await mkdir(folder.at('site'));
  t.is((await run(folder, 'publish', 'release', '--to', './site')).exitCode, 0);
  t.true((await folder.list()).some((name) => /^site\/.*DOOR\.bin\.gz\.signed$/.test(name)));
  const device = await virtualDoor(t);
  const espota = ['espota', '-i', device.host, '-p', `${device.otaPort}`, '-f', 'release/DOOR.bin'];
  t.is((await run(folder, ...espota)).exitCode, 0);
});

test('artifacts.name makes copies of the artifacts and removes the copies of earlier builds', async (t) => {
  const config = { project: 'door', board: 'd1_mini', artifacts: { name: '{project}-{version}-{board}' } };
  const folder = await builtSketch(t, { 'ota.config.json': JSON.stringify(config) });
  const usual = [image, ...suffixes.slice(1).map((suffix) => image + suffix), 'build/door.ino.elf'];
  const copies = (name: string) => suffixes.map((suffix) => `build/${name}.bin${suffix}`);
  const pack = (...argv: string[]) => run(folder, 'pack', image, ...argv);

  const first = await pack('--firmware-version', '1.0 beta/2');
  t.regex(first.stderr, /Artifacts copied as build\/door-1\.0-beta-2-d1_mini\.bin\*/);
  t.deepEqual(await build(folder), [...usual, ...copies('door-1.0-beta-2-d1_mini')].sort());
  await pack('--firmware-version', '1.1');
  t.deepEqual(await build(folder), [...usual, ...copies('door-1.1-d1_mini')].sort());
  t.true((await folder.read('build/door-1.1-d1_mini.bin.gz.signed')).equals(await folder.read(`${image}.gz.signed`)));
  const manifest = readManifest(await folder.text('build/door-1.1-d1_mini.bin.ota.json'), 'copy');
  t.like(manifest, { image: { file: 'door-1.1-d1_mini.bin' }, copyOf: 'door.ino.bin' });

  const nameless = await pack();
  t.is(nameless.error?.code, 'OPTION_MISSING');
  t.regex(nameless.error?.message ?? '', /"\{project\}-\{version\}-\{board\}"\} requires a version for this build/);
  t.deepEqual(await build(folder), [image, 'build/door.ino.elf'], 'a failed build leaves no copies');
  await folder.write('ota.config.json', JSON.stringify({ artifacts: { name: '{project}-{date}' } }));
  t.regex((await pack()).error?.message ?? '', /artifacts\.name may contain only the placeholders/);
});

test('pack, upload and publish do not treat copies as separate builds', async (t) => {
  const device = await virtualDoor(t);
  const devices = { door: listed(device, { facts: doorFacts }) };
  const more = { version: '1.0', images: ['build/*.bin'], artifacts: { name: '{project}-{version}' } };
  const folder = await packedDoor(t, devices, more);
  const before = await build(folder);
  t.true(before.includes('build/door-1.0.bin.signed'));
  t.is((await run(folder, 'pack')).exitCode, 0);
  const legacy = before.filter((name) => !name.endsWith('.legacy_sig'));
  t.deepEqual(await build(folder), legacy);
  await mkdir(folder.at('site'));
  const { exitCode, error } = await run(folder, 'publish', '--to', './site');
  t.is(exitCode, 0, error?.message);
  const { stdout } = await run(folder, 'upload', '--all', '--json');
  t.is(JSON.parse(stdout).devices[0].artifact, 'door.ino.bin.gz.signed');
  await restarted(device);
});

test('a manifest from a source tree that claims to be a copy cannot remove other files', async (t) => {
  const folder = await packedDoor(t);
  const manifest = readManifest(await folder.text(`${image}.ota.json`), image);
  const file = 'diary.txt';
  const forged = { ...manifest, copyOf: 'door.ino.bin', image: { ...manifest.image, file } };
  await folder.write('build/diary.txt', 'important');
  const artifacts = manifest.artifacts.slice(0, 1).map((artifact) => ({ ...artifact, file }));
  await folder.write('build/diary.txt.ota.json', JSON.stringify({ ...forged, artifacts }));
  t.is((await run(folder, 'pack', image)).exitCode, 0);
  t.is(await folder.text('build/diary.txt'), 'important');
});
