/** Checks that docs/security.md names tests for each promise, and no tests for properties that it marks as not promised. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readPage, repository } from './pages.ts';

const page = readPage('docs/security.md');
const section = page.prose.split('\n## Promises and their tests\n')[1] ?? '';
const rows = [...section.matchAll(/^\| (?!attacker|---)([^|]+) \| ([^|]+) \| ([^|]+) \|(.*)\|$/gm)];

test('the security page lists promises', (t) => {
  t.true(rows.length > 15);
});

for (const [, attacker = '', aim = '', promise = '', tests = ''] of rows) {
  test(`the promise about ${attacker} and ${aim} names its tests: ${promise}`, (t) => {
    const paths = [...tests.matchAll(/\]\(\.\.\/(test\/[^)]+\.test\.ts)\)/g)].map(([, path = '']) => path);
    t.is(paths.length === 0, promise.startsWith('**not promised**'));
    for (const path of paths) t.regex(readFileSync(join(repository, path), 'utf8'), /\btest(\.serial)?\(/, path);
  });
}
