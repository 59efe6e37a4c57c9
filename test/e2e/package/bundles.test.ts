/** Other programs bundle the entry points of the package with esbuild. They contain no server and no tools of this repository. */
import { join } from 'node:path';
import test from 'ava';
import { build } from 'esbuild';
import { execa } from 'execa';
import { repository } from '../../docs/pages.ts';
import { testFolder } from '../../support/test-folder.ts';

const entries = ['index', 'pack', 'preflight', 'upload', 'simulator'];

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
