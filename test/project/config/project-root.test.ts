import { mkdir } from 'node:fs/promises';
import test from 'ava';
import { loadConfig } from '../../../src/project/config/load.ts';
import { testFolder } from '../../support/test-folder.ts';
import { noWords } from '../../support/user-words.ts';
import { configTrees } from './config-trees.ts';

for (const [what, { files, found }] of Object.entries(configTrees)) {
  test(`loadConfig searches up to the project root in a tree ${what}`, async (t) => {
    const folder = await testFolder(t, files);
    await mkdir(folder.at('a/b'), { recursive: true });
    const { path } = await loadConfig(folder.at('a/b'), undefined, noWords);
    t.is(path, found === undefined ? undefined : folder.at(found));
  });
}

test('loadConfig ends its search at a package in a repository that contains the home folder', async (t) => {
  const folder = await testFolder(t, {
    '.git/HEAD': '',
    'ota.config.json': '{"project": "dotfiles"}',
    'door/package.json': '{}',
    'bare/bare.ino': '',
  });
  const words = { ...noWords, home: folder.path };
  t.is((await loadConfig(folder.at('door'), undefined, words)).path, undefined);
  t.is((await loadConfig(folder.at('bare'), undefined, words)).path, folder.at('ota.config.json'));
});
