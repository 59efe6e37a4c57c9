/** The PlatformIO hook finds the same configuration as the command line. */
import { mkdir } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { configFileNames, loadConfig } from '../../../src/project/config/load.ts';
import { configTrees } from '../../project/config/config-trees.ts';
import { testFolder } from '../../support/test-folder.ts';
import { noWords } from '../../support/user-words.ts';
import { hookParts } from './project.ts';

const program = `
import sys
sys.path.insert(0, sys.argv[1])
from platformio_hook.config import search_config
print(search_config(sys.argv[2], sys.argv[4:], sys.argv[3]))
`;

for (const [what, { files, found }] of Object.entries(configTrees)) {
  test(`the hook and loadConfig agree in a tree ${what}`, async (t) => {
    const folder = await testFolder(t, files);
    await mkdir(folder.at('a/b'), { recursive: true });
    const { stdout } = await execa('python3', [
      '-B',
      '-c',
      program,
      hookParts,
      folder.at('a/b'),
      '/nonexistent',
      ...configFileNames,
    ]);
    t.is(stdout, found === undefined ? 'None' : folder.at(found));
    t.is((await loadConfig(folder.at('a/b'), undefined, noWords)).path ?? 'None', stdout);
  });
}

test('the hook ends its search at a package in a repository that contains the home folder', async (t) => {
  const folder = await testFolder(t, {
    '.git/HEAD': '',
    'ota.config.json': '',
    'door/package.json': '{}',
    'bare/bare.ino': '',
  });
  const search = async (name: string) =>
    (await execa('python3', ['-B', '-c', program, hookParts, folder.at(name), folder.path, ...configFileNames])).stdout;
  t.is(await search('door'), 'None');
  t.is(await search('bare'), folder.at('ota.config.json'));
});
