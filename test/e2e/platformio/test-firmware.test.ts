/** Tests that `pio test` leaves no artifact that an upload would select. */
import { readdir, rm } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { makeKeys, placeKeys } from '../arduino/workplace.ts';
import { makeProject, type Project } from './project.ts';

const keys = makeKeys();
const runner = `from platformio.test.runners.base import TestRunnerBase

class CustomTestRunner(TestRunnerBase):
    EXTRA_LIB_DEPS = []
`;

async function projectWithTest(t: ExecutionContext, ...lines: string[]): Promise<Project> {
  const project = await makeProject(t, { lines: ['test_framework = custom', ...lines] });
  await placeKeys(project.folder, keys);
  await project.write('test/test_custom_runner.py', runner);
  await project.write('test/test_door/main.cpp', '#include <Arduino.h>\nvoid setup() {}\nvoid loop() {}\n');
  return project;
}

const artifacts = async (project: Project) =>
  (await readdir(project.built('.'))).filter((name) => name.startsWith('firmware.bin.')).sort();
const build = ['--without-uploading', '--without-testing'];

test('test firmware is not signed, and the artifacts of the firmware that it replaces are removed', async (t) => {
  const project = await projectWithTest(t);
  t.is((await project.run()).exitCode, 0);
  t.true((await artifacts(project)).includes('firmware.bin.signed'));
  const tested = await project.test(...build);
  t.is(tested.exitCode, 0, tested.output);
  t.regex(tested.output, /^ota-hooks: test firmware is not signed \(to sign it: custom_ota_sign_tests = yes\)$/m);
  t.deepEqual(await artifacts(project), []);

  // A folder cannot be removed as a file, even by root.
  await project.write('.pio/build/d1/firmware.bin.signed/file', '');
  const failed = await project.test(...build);
  t.not(failed.exitCode, 0, 'upload would select signed files that are left');
  t.regex(failed.output, /firmware\.bin\.signed could not be removed and must not be sent: /);
  await rm(project.built('firmware.bin.signed'), { recursive: true });
  const again = await project.run();
  t.is(again.exitCode, 0, again.output);
  t.true((await artifacts(project)).includes('firmware.bin.signed'));
});

test('custom_ota_sign_tests signs test firmware', async (t) => {
  const project = await projectWithTest(t, 'custom_ota_sign_tests = yes', 'lib_deps = ESP8266WiFi');
  await project.write('test/test_door/main.cpp', '#include <ESP8266WiFi.h>\nvoid setup() {}\nvoid loop() {}\n');
  const tested = await project.test(...build);
  t.is(tested.exitCode, 0, tested.output);
  t.true((await artifacts(project)).includes('firmware.bin.signed'), tested.output);
});
