/** Other programs bundle the entry points of the package with esbuild. They contain no server and no tools of this repository. */
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { build } from 'esbuild';
import { execa } from 'execa';
import { repository } from '../../docs/pages.ts';
import { testFolder } from '../../support/test-folder.ts';
import { installNode } from '../provision/node.ts';

const entries = ['index', 'pack', 'preflight', 'upload', 'simulator'];

test('require() loads the entry points on the oldest supported Node.js, without a warning', async (t) => {
  const node = await installNode('20.19.0');
  const folder = await testFolder(t);
  // As in a project: Node.js warns of ES modules outside of node_modules.
  await mkdir(folder.at('node_modules'));
  await symlink(repository, folder.at('node_modules/ota-hooks'));
  const names = entries.map((name) => (name === 'index' ? 'ota-hooks' : `ota-hooks/${name}`));
  const program = `console.log(${JSON.stringify(names)}.map((name) => Object.keys(require(name)).length).join())`;
  const { stdout, stderr } = await execa(node, ['--input-type=commonjs', '--eval', program], { cwd: folder.path });
  t.is(stderr, '');
  t.true(
    stdout.split(',').every((count) => Number(count) >= 3),
    stdout,
  );
});

for (const format of ['esm', 'cjs'] as const) {
  test(`the entry points can be bundled for Node.js without external packages (${format})`, async (t) => {
    const folder = await testFolder(t);
    const { errors, metafile } = await build({
      ...{ bundle: true, platform: 'node', format, metafile: true, logLevel: 'silent' },
      entryPoints: entries.map((name) => join(repository, 'dist', `${name}.js`)),
      outdir: folder.path,
      outExtension: { '.js': format === 'esm' ? '.mjs' : '.cjs' },
    });
    t.deepEqual(errors, []);
    const inputs = Object.keys(metafile.inputs).join('\n');
    t.notRegex(inputs, /chunks\/server|node_modules\/(?:libsql|pg|mqtt|typescript)\//);
    const extension = format === 'esm' ? 'mjs' : 'cjs';
    const load = format === 'esm' ? 'await import' : 'require';
    const names = format === 'esm' ? 'Object.keys(module)' : 'Object.keys(module.exports ?? module)';
    for (const entry of entries) {
      const path = JSON.stringify(folder.at(`${entry}.${extension}`));
      const program = `const library = ${load}(${path}); console.log(${names.replace(/module/g, 'library')}.length)`;
      const type = format === 'esm' ? 'module' : 'commonjs';
      const { stdout } = await execa(process.execPath, [`--input-type=${type}`, '--eval', program]);
      t.true(Number(stdout) >= 2, `${entry} exports ${stdout} names`);
    }
  });
}
