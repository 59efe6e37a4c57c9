/** `init` and `doctor` interpret .gitignore files as `git check-ignore` does. */
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { isIgnored } from '../../../src/project/init/ignore.ts';
import { readText } from '../../../src/project/init/text-file.ts';
import { type Repository, repository } from './repository.ts';

const rule = fc.constantFrom(
  ...[
    'private.key',
    '/private.key',
    'private.key/',
    '*.key',
    '*',
    '**',
    '/**',
    '!*.key',
    '!private.key',
    '!/door/',
    '!*/',
  ],
  ...[
    'door',
    'door/',
    '/door',
    '/door/',
    'door/*',
    '/door/**',
    '**/door',
    'door/private.key',
    '**/private.key',
    'firmware/door',
  ],
  ...[
    'firmware/',
    'firmware/**/private.key',
    'f*/d*/',
    '[pq]rivate.key',
    'privat?.key',
    '[!a-o]rivate.key',
    '\\private.key',
  ],
  ...[
    '# private.key',
    '\\#',
    '',
    '   ',
    'private.key  ',
    'private.key\\ ',
    '.ota',
    '.ota/',
    '.ota/*',
    '/.ota/**',
    '!.ota/',
  ],
);
const rules = fc.array(rule, { maxLength: 5 });
const places = ['', 'firmware/', 'firmware/door/'];

/** Returns whether git ignores the file, or a file in the folder. */
async function ignoredByGit({ gitIn }: Repository, folder: string, name: string): Promise<boolean> {
  const received = name.endsWith('/') ? `${name}any` : name;
  return gitIn(folder, 'check-ignore', '--quiet', '--no-index', received).then(
    () => true,
    () => false,
  );
}

test('property: agrees with git for any rules at any depth and in .git/info/exclude', async (t) => {
  t.timeout(300_000);
  const files = fc.record({
    exclude: rules,
    root: rules,
    middle: rules,
    own: rules,
    lineEnd: fc.constantFrom('\n', '\r\n'),
  });
  await fc.assert(
    fc.asyncProperty(files, async ({ exclude, root, middle, own, lineEnd }) => {
      const text = (lines: readonly string[]) => lines.join(lineEnd);
      const repo = await repository(t, {
        '.gitignore': text(root),
        'firmware/.gitignore': text(middle),
        'firmware/door/.gitignore': text(own),
      });
      await writeFile(repo.at('.git/info/exclude'), exclude.join('\n'));
      for (const place of places) {
        const ownText = (await readText(repo.at(`${place}.gitignore`))) ?? '';
        for (const name of ['private.key', '.ota/']) {
          const wanted = await ignoredByGit(repo, place, name);
          t.is(await isIgnored(repo.at(place), name, ownText), wanted, `${place}${name}`);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('treats pattern characters in folder names literally', async (t) => {
  for (const name of ['d*r', '[door]', 'do?r', ' door ', '#door', '!door', 'döör']) {
    const repo = await repository(t, { [`${name}/.gitignore`]: '/private.key\n*.pem\n' });
    for (const file of ['private.key', 'other.key', 'a.pem']) {
      const text = await repo.text(`${name}/.gitignore`);
      t.is(await isIgnored(repo.at(name), file, text), await ignoredByGit(repo, name, file), `${name}/${file}`);
    }
    await mkdir(repo.at('door'), { recursive: true });
    t.false(await isIgnored(repo.at('door'), 'private.key', ''));
  }
});

test('applies the exclude rules of the main repository in a linked work tree', async (t) => {
  const repo = await repository(t);
  await repo.git('commit', '--quiet', '--allow-empty', '--message', 'first');
  await repo.git('worktree', 'add', '--quiet', repo.at('linked'));
  await mkdir(dirname(repo.at('.git/info/exclude')), { recursive: true });
  await appendFile(repo.at('.git/info/exclude'), '*.key\n');
  t.true(await ignoredByGit(repo, 'linked', 'private.key'));
  t.true(await isIgnored(repo.at('linked'), 'private.key', ''));
});

test('applies only the rules of the folder itself outside a repository', async (t) => {
  const repo = await repository(t, { 'door/.gitignore': '*.key\n', '.gitignore': '*' });
  await rm(repo.at('.git'), { recursive: true });
  t.true(await isIgnored(repo.at('door'), 'private.key', '*.key\n'));
  t.false(await isIgnored(repo.at('door'), '.ota/', '*.key\n'));
});
