import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fastGlob from 'fast-glob';
import { readPage, repository } from './pages.ts';

/** Messages quoted on the page; `…` marks the variable parts. */
const messages = readPage('docs/troubleshooting.md')
  .blocks.filter(({ language }) => language === '')
  .flatMap(({ body }) => body.trim().split('\n'));

const paths = fastGlob.sync(['src/**/*.ts', 'hooks/*.py'], { cwd: repository });
const texts = paths.map((path) => readFileSync(join(repository, path), 'utf8'));
const lines = texts.flatMap((text) => text.split('\n'));

/** Returns whether a source line contains the parts of a message in order. */
function says(line: string, parts: readonly string[]): boolean {
  let from = 0;
  return parts.every((part) => {
    const at = line.indexOf(part, from);
    from = at + part.length;
    return at !== -1;
  });
}

test('docs/troubleshooting.md quotes more than ten messages', (t) => {
  t.true(messages.length > 10);
});

for (const message of messages) {
  test(`the sources contain the message: ${message}`, (t) => {
    const parts = message.split('…').filter((part) => part.trim() !== '');
    t.true(parts.length > 0);
    t.true(lines.some((line) => says(line, parts)));
  });
}
