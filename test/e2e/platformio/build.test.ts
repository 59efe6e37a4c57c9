import { readFile } from 'node:fs/promises';
import test from 'ava';
import { artifactsOf, environment, isSignedWith, makeKeys, makeProject, placeKeys } from './project.ts';

const keys = makeKeys();
const withoutHook = ['[env:d1]', ...environment.filter((line) => !line.startsWith('extra_scripts'))].join('\n');
const signedArtifacts = ['.gz', '.signed', '.gz.signed', '.ota.json'];

test('`ota-hooks build` signs a project without the hook and does not change its platformio.ini', async (t) => {
  const project = await makeProject(t, { ini: withoutHook });
  await placeKeys(project, keys);
  const built = await project.build();
  t.is(built.exitCode, 0, built.output);
  t.deepEqual(artifactsOf(project.built('firmware.bin')), signedArtifacts);
  t.true(await isSignedWith(project.built('firmware.bin.gz.signed'), keys));
  t.is(await readFile(project.path('platformio.ini'), 'utf8'), `${withoutHook}\n`);
});

test('`ota-hooks build` runs the hook in platformio.ini only once, passes on arguments, and reads --config', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, keys);
  await project.write('release/ota.json', JSON.stringify({ project: 'door', compression: 'none' }));
  const built = await project.build('--config', 'release/ota.json', '--', '--environment', 'd1');
  t.is(built.exitCode, 0, built.output);
  t.deepEqual(artifactsOf(project.built('firmware.bin')), ['.signed', '.ota.json']);
  t.like(JSON.parse(await readFile(project.built('firmware.bin.ota.json'), 'utf8')), { project: 'door' });
  t.is(built.output.match(/Enabling binary signing/g)?.length, 1);
});

test('`ota-hooks build` fails when PlatformIO fails, and the error names the command', async (t) => {
  const project = await makeProject(t, { sketch: 'this is no C++' });
  const built = await project.build();
  t.is(built.exitCode, 1);
  t.regex(
    built.output,
    /error\[PROGRAM_FAILED\]: pio run failed with exit code 1\n {2}Find the cause in the output above\.$/,
  );
});

test('`ota-hooks build` signs an environment without the hook if only another environment, a comment or an unused section lists the hook', async (t) => {
  const lines = environment.filter((line) => !line.startsWith('extra_scripts'));
  const ini = [
    ...['[unused]', environment.at(-1), '[env:d1]', ...environment],
    ...['[env:d2]', ...lines, `; ${environment.at(-1)}`, 'extra_scripts = pre:own.py'],
  ];
  const project = await makeProject(t, { ini: ini.join('\n') });
  await project.write('own.py', 'print("ran own.py")\n');
  await placeKeys(project, keys);
  const built = await project.build('--', '--environment', 'd2');
  t.is(built.exitCode, 0, built.output);
  t.regex(built.output, /ran own\.py/);
  t.true(await isSignedWith(project.path('.pio/build/d2/firmware.bin.gz.signed'), keys));
});
