import { mkdir, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import test from 'ava';
import { sourceCommit } from '../../../src/project/build/source-commit.ts';
import { testFolder } from '../../support/test-folder.ts';

const id = 'a1'.repeat(20);
const repository = { '.git/objects/.keep': '', 'door/door.ino': '' };

const cases: Readonly<Record<string, { files: Readonly<Record<string, string>>; expected: string | undefined }>> = {
  'reads a branch': {
    files: { '.git/HEAD': 'ref: refs/heads/main\n', '.git/refs/heads/main': `${id}\n` },
    expected: id,
  },
  'reads a detached HEAD': { files: { '.git/HEAD': `${id}\n` }, expected: id },
  'reads a SHA-256 object ID': { files: { '.git/HEAD': 'a1'.repeat(32) }, expected: 'a1'.repeat(32) },
  'reads a packed branch': {
    files: {
      '.git/HEAD': 'ref: refs/heads/a/b\n',
      '.git/packed-refs': `# pack-refs with: peeled\n${'0'.repeat(40)} refs/heads/b\n${id} refs/heads/a/b\n^${'1'.repeat(40)}\n`,
    },
    expected: id,
  },
  'reads a branch that is both loose and packed': {
    files: {
      '.git/HEAD': 'ref: refs/heads/main\n',
      '.git/refs/heads/main': id,
      '.git/packed-refs': `${'0'.repeat(40)} refs/heads/main\n`,
    },
    expected: id,
  },
  'returns undefined for a branch without a commit': {
    files: { '.git/HEAD': 'ref: refs/heads/main\n' },
    expected: undefined,
  },
  'returns undefined for a circular reference': {
    files: { '.git/HEAD': 'ref: refs/heads/main\n', '.git/refs/heads/main': 'ref: refs/heads/main\n' },
    expected: undefined,
  },
  'returns undefined for a reference outside the repository': {
    files: { '.git/HEAD': 'ref: refs/../../secret\n', secret: id },
    expected: undefined,
  },
  'returns undefined for a HEAD file with arbitrary text': {
    files: { '.git/HEAD': 'password\n' },
    expected: undefined,
  },
  'returns undefined for a repository with a reftable': {
    files: { '.git/HEAD': 'ref: refs/heads/.invalid\n', '.git/reftable/tables.list': '' },
    expected: undefined,
  },
};

for (const [what, { files, expected }] of Object.entries(cases)) {
  test(`sourceCommit ${what}`, async (t) => {
    const folder = await testFolder(t, { ...repository, ...files });
    t.is(sourceCommit(folder.at('door')), expected);
  });
}

test('sourceCommit follows the .git file of a linked work tree', async (t) => {
  const folder = await testFolder(t, {
    'main/.git/HEAD': 'ref: refs/heads/main\n',
    'main/.git/objects/.keep': '',
    'main/.git/refs/heads/topic': id,
    'main/.git/worktrees/linked/HEAD': 'ref: refs/heads/topic\n',
    'main/.git/worktrees/linked/commondir': '../..\n',
    'linked/.git': 'gitdir: ../main/.git/worktrees/linked\n',
  });
  t.is(sourceCommit(folder.at('linked')), id);
});

for (const link of ['.git/refs/heads/main', '.git/refs/heads', '.git/refs', '.git/packed-refs', '.git/HEAD']) {
  test(`sourceCommit does not follow a link from ${link} out of the repository`, async (t) => {
    const folder = await testFolder(t, {
      ...repository,
      '.git/HEAD': 'ref: refs/heads/main\n',
      'outside/main': id,
      'outside/heads/main': id,
      'outside/packed': `${id} refs/heads/main\n`,
    });
    const targets: Readonly<Record<string, string>> = {
      main: 'main',
      heads: '',
      refs: '',
      'packed-refs': 'packed',
      HEAD: 'main',
    };
    await mkdir(folder.at(dirname(link)), { recursive: true });
    await rm(folder.at(link), { recursive: true, force: true });
    await symlink(folder.at(join('outside', targets[basename(link)] ?? '')), folder.at(link));
    t.is(sourceCommit(folder.at('door')), undefined);
  });
}

test('sourceCommit follows HEAD if it is a link to a branch, as in old versions of git', async (t) => {
  const folder = await testFolder(t, { ...repository, '.git/refs/heads/main': id });
  await symlink('refs/heads/main', folder.at('.git/HEAD'));
  t.is(sourceCommit(folder.at('door')), id);
});

test('sourceCommit returns undefined outside a repository', async (t) => {
  t.is(sourceCommit((await testFolder(t)).path), undefined);
});
