/** Checks that docs/api.md is complete. test/e2e/package/types.test.ts compiles and runs its programs against the installed package. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { apiExamples } from './api-examples.ts';
import { repository } from './pages.ts';

test('docs/api.md has a program for each entry point', async (t) => {
  const { exports: entries } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, { readonly types?: string }>>;
  };
  const typed = Object.entries(entries).filter(([, { types }]) => types !== undefined);
  const imports = apiExamples.flatMap(({ code }) => [...code.matchAll(/from '(ota-hooks[^']*)'/g)]);
  t.deepEqual(
    [...new Set(imports.map(([, name]) => name))].sort(),
    typed.map(([path]) => path.replace('.', 'ota-hooks')).sort(),
  );
});
