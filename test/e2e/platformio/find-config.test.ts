/** The PlatformIO hook finds the same configuration as the command line. */
import { mkdir } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { configFileNames, loadConfig } from '../../../src/project/config/load.ts';
import { configTrees } from '../../project/config/config-trees.ts';
import { testFolder } from '../../support/test-folder.ts';
import { noWords } from '../../support/user-words.ts';
import { hook } from './project.ts';

/** Runs only the search function of the hook, since the script itself needs SCons. */
const program = `
import ast, json, os, re, stat, sys
from pathlib import Path
tree = ast.parse(open(sys.argv[1], encoding="utf-8").read())
names = ("search_config", "project_root", "is_submodule", "is_workspace", "read_file", "read_json")
wanted = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
MOST_FILE_BYTES = 1 << 20
exec(compile(ast.Module(wanted, []), sys.argv[1], "exec"))
print(search_config(sys.argv[2], sys.argv[4:], sys.argv[3]))
`;

for (const [what, { files, found }] of Object.entries(configTrees)) {
  test(`the hook and loadConfig agree in a tree ${what}`, async (t) => {
    const folder = await testFolder(t, files);
    await mkdir(folder.at('a/b'), { recursive: true });
    const { stdout } = await execa('python3', [
      '-c',
      program,
      hook,
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
    (await execa('python3', ['-c', program, hook, folder.at(name), folder.path, ...configFileNames])).stdout;
  t.is(await search('door'), 'None');
  t.is(await search('bare'), folder.at('ota.config.json'));
});
