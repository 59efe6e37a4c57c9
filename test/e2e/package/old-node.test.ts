import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import { commandTree } from '../../cli/help/command-tree.ts';
import { makeKeys, makeProject, placeKeys } from '../platformio/project.ts';
import { installNode } from '../provision/node.ts';

/** Version in Debian 12 and Raspberry Pi OS. */
const node = await installNode('18.20.8');
const line = 'ota-hooks needs Node.js 20.19 or newer; this is 18.20.8.';
const inRepository = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

for (const { words } of await commandTree()) {
  test(`${words.join(' ')} prints one error line and exits with 2 on Node.js 18`, async (t) => {
    const { exitCode, stdout, stderr } = await execa(node, [inRepository('dist/cli.js'), ...words.slice(1)], {
      reject: false,
    });
    t.is(exitCode, 2);
    t.is(stderr, line);
    t.is(stdout, '');
  });
}

test('a PlatformIO build fails with the same line on Node.js 18', async (t) => {
  const project = await makeProject(t);
  await placeKeys(project, makeKeys());
  const { exitCode, output } = await project.runWith({ OTA_NODE: node });
  t.is(exitCode, 1);
  t.is(output.split('\n').filter((each) => each === line).length, 1, output);
  t.notRegex(output, /SyntaxError|file:\/\//);
});

for (const script of ['dependencies', 'pretest']) {
  test(`the npm script ${script} checks the Node.js version first`, async (t) => {
    const manifest = JSON.parse(await readFile(inRepository('package.json'), 'utf8'));
    const [first = ''] = String(manifest.scripts[script]).split(' && ');
    const [program, path = ''] = first.split(' ');
    t.is(program, 'node');
    const { exitCode, stderr } = await execa(node, [inRepository(path)], { reject: false });
    t.is(exitCode, 2);
    t.is(stderr, line);
  });
}
