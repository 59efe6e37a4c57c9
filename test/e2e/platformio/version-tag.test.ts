/** A tag that is created after a build determines the version of the next build. */
import { readFile } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { makeKeys, placeKeys } from '../arduino/workplace.ts';
import { makeProject } from './project.ts';

const keys = makeKeys();

test('a new tag on the same commit repacks the build, and an up-to-date build starts no process', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project.folder, keys);
  await project.write('ota.config.json', '{"version": {"git": "tag"}}');
  await project.write('.gitignore', '.pio\n*.key\n');
  const git = (...argv: string[]) =>
    execa('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.invalid', ...argv], {
      cwd: project.folder,
      env: { HOME: project.folder, GIT_CONFIG_NOSYSTEM: '1' },
    });
  const version = async () => {
    const run = await project.run();
    t.is(run.exitCode, 0, run.output);
    return { started: run.started, ...JSON.parse(await readFile(project.built('firmware.bin.ota.json'), 'utf8')) };
  };
  await git('init', '--quiet');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'door');
  t.is((await version()).version, undefined);
  await git('tag', 'v1.2.0');
  t.is((await version()).version, '1.2.0');
  t.deepEqual((await version()).started, []);
});
