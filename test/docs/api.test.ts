/** The programs on docs/api.md compile and print what the page shows. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { execa } from 'execa';
import ts from 'typescript';
import { testFolder } from '../support/test-folder.ts';
import { apiExamples } from './api-examples.ts';
import { repository } from './pages.ts';

const { exports: entries } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly types?: string; readonly default?: string }>>;
};

/** Source file of each entry point, by the name that a program imports. */
const sources: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(entries).flatMap(([path, { types, default: built }]) => {
    const source = built?.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
    return types === undefined || source === undefined
      ? []
      : [[path.replace('.', 'ota-hooks'), join(repository, source)]];
  }),
);

const imports = /from '(ota-hooks[^']*)'/g;

test('the page has a program for each entry point', (t) => {
  const imported = new Set(apiExamples.flatMap(({ code }) => [...code.matchAll(imports)].map(([, name]) => name)));
  t.deepEqual([...imported].sort(), Object.keys(sources).sort());
});

test('the programs compile, and print what the page shows', async (t) => {
  const folder = await testFolder(t);
  const inRepository = (path: string) => readFile(join(repository, 'test/fixtures', path));
  await folder.write('package.json', '{"type": "module"}');
  await folder.write('firmware.bin', await inRepository('firmware/door.bin'));
  await folder.write('firmware.elf', await inRepository('firmware/door.elf'));
  await folder.write('private.key', await inRepository('keys/test-only-private.pem'));
  for (const { file, code } of apiExamples) {
    await folder.write(
      file,
      code.replace(imports, (_, name) => `from '${pathToFileURL(sources[name] ?? name)}'`),
    );
  }
  for (const { file, output = '' } of apiExamples) {
    const argv = ['--import', import.meta.resolve('tsx'), file];
    const { stdout } = await execa(process.execPath, argv, { cwd: folder.path });
    t.is(stdout, output.trimEnd(), file);
  }

  for (const { file, code } of apiExamples) await folder.write(file, code);
  t.deepEqual(compileErrors(apiExamples.map(({ file }) => folder.at(file))), []);
});

function compileErrors(paths: readonly string[]): readonly string[] {
  const { config } = ts.readConfigFile(join(repository, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, repository);
  const names = Object.fromEntries(Object.entries(sources).map(([name, path]) => [name, [path]]));
  const typeRoots = [join(repository, 'node_modules/@types')];
  const program = ts.createProgram(paths, { ...options, paths: names, typeRoots });
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}
