/** The PlatformIO hook finds the same configuration as the command line. */
import { mkdir } from 'node:fs/promises';
import test from 'ava';
import { execa } from 'execa';
import { configFileNames, loadConfig } from '../../../src/project/config/load.ts';
import { testFolder } from '../../support/test-folder.ts';
import { noWords } from '../../support/user-words.ts';
import { hook } from './project.ts';

/** Runs only the search function of the hook, since the script itself needs SCons. */
const program = `
import ast, os, sys
from pathlib import Path
tree = ast.parse(open(sys.argv[1], encoding="utf-8").read())
wanted = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "search_config"]
exec(compile(ast.Module(wanted, []), sys.argv[1], "exec"))
print(search_config(sys.argv[2], sys.argv[3:]))
`;

const trees: Readonly<Record<string, readonly string[]>> = {
  'without a project root': ['ota.config.json'],
  'with package.json at the configuration': ['ota.config.json', 'package.json'],
  'with package.json below the configuration': ['ota.config.json', 'a/package.json'],
  'with a .git file': ['ota.config.json', 'a/.git', 'a/.otarc.yaml'],
  'with several configurations': ['a/b/.otarc', 'a/b/ota.config.yaml', 'a/ota.config.json', 'package.json'],
  'with a folder named like a configuration': ['a/b/ota.config.json/x', 'a/ota.config.yml', 'a/package.json'],
};

for (const [what, files] of Object.entries(trees)) {
  test(`the hook and loadConfig agree in a tree ${what}`, async (t) => {
    const folder = await testFolder(t, Object.fromEntries(files.map((name) => [name, ''])));
    await mkdir(folder.at('a/b'), { recursive: true });
    const expected = (await loadConfig(folder.at('a/b'), undefined, noWords)).path;
    const { stdout } = await execa('python3', ['-c', program, hook, folder.at('a/b'), ...configFileNames]);
    t.is(stdout, expected ?? 'None');
  });
}
