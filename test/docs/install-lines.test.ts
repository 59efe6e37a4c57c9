/** Commands that install an optional peer name a version that ota-hooks supports: package managers would take the newest one otherwise. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fastGlob from 'fast-glob';
import { repository } from './pages.ts';

const { peerDependencies } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
  readonly peerDependencies: Readonly<Record<string, string>>;
};

/** Returns the shortest range within `^1.2.3`: `1`, or `0.2` for `^0.2.3`. */
function rangeOf(version: string): string {
  return /^\^(0\.\d+|[1-9]\d*)\./.exec(version)?.[1] ?? version;
}

test('every command that installs an optional package names a supported version', async (t) => {
  const paths = await fastGlob(
    ['*.md', 'docs/*.md', 'templates/**', 'src/errors/catalog/*.ts', 'test/e2e/newcomer/*.ts'],
    {
      cwd: repository,
    },
  );
  const named = new Set<string>();
  for (const path of paths) {
    const text = await readFile(join(repository, path), 'utf8');
    for (const [line] of text.matchAll(/npm install [^`\n]*/g)) {
      for (const [, name = '', version = ''] of line.matchAll(/(?<=[ (])(libsql|mqtt|pg)(?:@([\d.]+))?(?=[ ,`']|$)/g)) {
        named.add(name);
        t.is(version, rangeOf(peerDependencies[name] ?? ''), `${path}: ${line}`);
      }
    }
  }
  t.deepEqual([...named].sort(), Object.keys(peerDependencies).sort());
});
