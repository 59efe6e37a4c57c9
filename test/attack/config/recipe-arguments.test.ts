/** Names of sketches and folders that would add arguments to the recipes of the Arduino tools. */
import { mkdir } from 'node:fs/promises';
import test from 'ava';
import { withArduinoBuild } from '../../../src/cli/arduino-build.ts';
import {
  arduinoHookProperties,
  arduinoPublishProperty,
  arduinoUploadProperty,
  launcherProgram,
  nodeProgram,
} from '../../../src/project/build/arduino-hooks.ts';
import { door } from '../../support/built-sketch.ts';
import { expectOtaError } from '../../support/expected-error.ts';
import { runCli } from '../../support/run-cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { testFolder } from '../../support/test-folder.ts';
import { countAttacks } from '../support/attack-counts.ts';

const hooks = { program: nodeProgram('/usr/bin/node', '/opt/ota-hooks/dist/cli.js') };

const names = ['door"--unsigned', "door' --unsigned 'x", 'door --unsigned', '--unsigned', '{build.path}', 'a b'];

test('uses no names that a sketch controls in recipes', (t) => {
  const properties = [...arduinoHookProperties(hooks), arduinoPublishProperty(hooks), arduinoUploadProperty(hooks)];
  for (const [property, recipe] of properties) {
    const placeholders = recipe.match(/\{[^}]*\}/g) ?? [];
    const isOfUser = (name: string) =>
      property.startsWith('tools.') && ['{serial.port}', '{network.port}', '{network.password}'].includes(name);
    t.deepEqual(
      placeholders.filter((name) => !isOfUser(name)),
      ['{build.path}'],
    );
    t.true(recipe.endsWith(' --arduino-build "{build.path}"'), 'every argument after it is an error');
  }
});

for (const name of names) {
  test(`passes the name of the sketch ${name} as one argument`, async (t) => {
    const folder = await testFolder(t);
    const sketch = folder.at(name);
    await mkdir(sketch);
    await folder.write('build/build.options.json', JSON.stringify({ sketchLocation: sketch }));
    const build = folder.at('build');
    t.deepEqual(withArduinoBuild(['pack', '--unsigned', '--arduino-build', build]), [
      ...['pack', '--unsigned', '--source', sketch, `${build}/${name}.ino.bin`],
    ]);
    t.deepEqual(withArduinoBuild(['header', '--arduino-build', build]), [
      ...['header', '--source', sketch, '--out', `${build}/core/Updater_Signing.h`],
      ...['--image', `${build}/${name}.ino.bin`],
    ]);
    countAttacks({ kind: 'names that add arguments to recipes', tried: 1, withstood: 1 });
  });
}

for (const name of ['door" --private-key "key', 'door" --unsigned "', `door" 'x --unsigned`, 'door" -include x "']) {
  test(`rejects the sketch ${name}, because the core would pass part of its name to the compiler`, async (t) => {
    const folder = await testFolder(t, { [`${name}/${name}.ino`]: '' });
    await folder.write('build/build.options.json', JSON.stringify({ sketchLocation: folder.at(name) }));
    await expectOtaError(t, 'HOOK_ARGUMENT_INVALID', () =>
      withArduinoBuild(['pack', '--arduino-build', folder.at('build')]),
    );
    const { error } = await runCommand(['build', '--source', name], { cwd: folder.path });
    t.is(error?.code, 'HOOK_ARGUMENT_INVALID');
    countAttacks({ kind: 'names that add arguments to recipes', tried: 1, withstood: 1 });
  });
}

test('packs the sketch in a build folder with the keys of the sketch, regardless of its name', async (t) => {
  const name = "door' --compression 'none";
  const folder = await testFolder(t, {
    [`${name}/private.key`]: door.privatePem,
    [`build/${name}.ino.bin`]: door.bin,
    [`build/${name}.ino.elf`]: door.elf,
  });
  await folder.write('build/build.options.json', JSON.stringify({ sketchLocation: folder.at(name) }));
  const { exitCode, stderr } = await runCli(['pack', '--arduino-build', folder.at('build')], folder.path);
  t.is(exitCode, 0, stderr);
  t.true((await folder.list()).includes(`build/${name}.ino.bin.gz.signed`));
  countAttacks({ kind: 'names that add arguments to recipes', tried: 1, withstood: 1 });
});

test('rejects arguments after the build folder, because only the name of the folder can add them', async (t) => {
  for (const more of [['x'], ['--unsigned'], ['--arduino-build', '/elsewhere']]) {
    await expectOtaError(t, 'OPTION_INVALID', () => withArduinoBuild(['pack', '--arduino-build', '/build', ...more]));
  }
  await expectOtaError(t, 'OPTION_INVALID', () => withArduinoBuild(['pack', '--arduino-build']));
  await expectOtaError(t, 'FILE_NOT_FOUND', () => withArduinoBuild(['pack', '--arduino-build', '/nowhere']));
  countAttacks({ kind: 'names that add arguments to recipes', tried: 5, withstood: 5 });
});

test('rejects a folder whose name contains a property, because arduino-cli would replace the property', async (t) => {
  for (const sourceDir of ['/src/{build.path}', '/src/a{x}b']) {
    await expectOtaError(t, 'HOOK_ARGUMENT_INVALID', () => arduinoHookProperties({ ...hooks, sourceDir }));
    await expectOtaError(t, 'HOOK_ARGUMENT_INVALID', () => arduinoUploadProperty({ ...hooks, configPath: sourceDir }));
    await expectOtaError(t, 'HOOK_ARGUMENT_INVALID', () => launcherProgram('python3', sourceDir));
  }
  countAttacks({ kind: 'names that add arguments to recipes', tried: 6, withstood: 6 });
});
