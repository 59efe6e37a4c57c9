import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fastGlob from 'fast-glob';
import { repository } from '../docs/pages.ts';

test('starts no program through a shell, because Windows has a different shell', async (t) => {
  const paths = await fastGlob(['src/**/*.ts', 'hooks/**/*.py'], { cwd: repository });
  t.true(paths.includes('hooks/platformio.py'));
  const throughShell = /\bshell\s*[:=]|\bexec(?:Sync)?\(|\bexecaCommand|\bos\.(?:system|popen)\b|\/bin\/sh/;
  for (const path of paths) {
    const code = await readFile(join(repository, path), 'utf8');
    // `.exec(` is a method of regular expressions, and `completion` prints the name of the shell that its script is for.
    t.notRegex(code.replaceAll(/\.exec\(|\bshell: (?:v\.|target\b)/g, ''), throughShell, path);
  }
});
