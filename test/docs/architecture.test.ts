import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { repository } from './pages.ts';

const page = readFileSync(join(repository, 'ARCHITECTURE.md'), 'utf8');
const paths = [...page.matchAll(/`((?:src|test|docs)\/[^`]*)`/g)].map(([, path = '']) => path);

test('every path in ARCHITECTURE.md exists', (t) => {
  t.true(paths.length > 50);
  t.deepEqual(
    paths.filter((path) => !existsSync(join(repository, path))),
    [],
  );
});

for (const folder of ['src', 'src/server']) {
  test(`ARCHITECTURE.md describes every folder in ${folder}`, (t) => {
    const rows = [...page.matchAll(/^\| `([^`]+)\/` \|/gm)].map(([, path]) => path);
    const folders = readdirSync(join(repository, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${folder}/${name}`);
    t.deepEqual(
      folders.filter((path) => !rows.includes(path)),
      [],
    );
  });
}
