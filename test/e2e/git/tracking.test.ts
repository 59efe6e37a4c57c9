/** Tests that the git index reader agrees with git in every format that git writes. */
import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import fc from 'fast-check';
import { gitTracking } from '../../../src/project/keys/git-tracking.ts';
import { changeIndex, type Repository, repository } from './repository.ts';

const names = ['private.key', 'a', 'a.key', 'ab', 'ä', ' ', '-n', 'Private.key', 'key\nkey', `long${'g'.repeat(200)}`];
const folders = ['', 'a/', 'a/b/', 'ä/', 'firmware/door/', 'private.key.d/', `${'deep/'.repeat(30)}`];

type Step =
  | 'add'
  | 'intend'
  | 'remove'
  | 'skip'
  | 'split'
  | 'unsplit'
  | 'version-2'
  | 'version-3'
  | 'version-4'
  | 'many-threads';
const steps: readonly Step[] = [
  'add',
  'intend',
  'remove',
  'skip',
  'split',
  'unsplit',
  'version-2',
  'version-3',
  'version-4',
  'many-threads',
];

async function carryOut(step: Step, path: string, { git }: Repository): Promise<unknown> {
  switch (step) {
    case 'add':
      return git('add', '--force', '--', path);
    case 'intend':
      return git('add', '--force', '--intent-to-add', '--', path);
    case 'remove':
      return git('rm', '--cached', '--quiet', '--force', '--ignore-unmatch', '--', path);
    case 'skip':
      return git('update-index', '--skip-worktree', '--', path);
    case 'split':
      return git('update-index', '--split-index');
    case 'unsplit':
      return git('update-index', '--no-split-index');
    case 'many-threads':
      return git('config', 'index.threads', '2');
    default:
      return git('update-index', '--index-version', step.slice(-1));
  }
}

/** Paths of the files that git reports as tracked. */
async function trackedByGit({ git }: Repository): Promise<ReadonlySet<string>> {
  return new Set((await git('ls-files', '-z')).split('\0').filter((name) => name !== ''));
}

async function agrees(t: ExecutionContext, repo: Repository, files: readonly string[], because: string): Promise<void> {
  const tracked = await trackedByGit(repo);
  for (const file of files) {
    t.is(
      gitTracking(repo.at(file)),
      tracked.has(file) ? 'tracked' : 'untracked',
      `${JSON.stringify(file)}: ${because}`,
    );
  }
}

const paths = fc.tuple(fc.constantFrom(...folders), fc.constantFrom(...names)).map(([folder, name]) => folder + name);
const history = fc.array(fc.tuple(fc.constantFrom(...steps), fc.nat()), { minLength: 1, maxLength: 12 });

for (const format of ['sha1', 'sha256']) {
  test(`property: agrees with git after any changes to a ${format} index of any version, split or not`, async (t) => {
    t.timeout(300_000);
    const files = fc.uniqueArray(paths, { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(files, history, async (present, changes) => {
        // A name cannot be a file and a folder.
        const valid = present.filter((path) => !present.some((other) => other.startsWith(`${path}/`)));
        const content = Object.fromEntries(valid.map((path) => [path, path]));
        const repo = await repository(t, content, `--object-format=${format}`);
        for (const [step, pick] of changes) {
          // Git rejects some steps, such as adding a file marked skip-worktree.
          await carryOut(step, valid[pick % valid.length] ?? '', repo).catch(() => undefined);
        }
        await agrees(t, repo, valid, JSON.stringify(changes));
      }),
      { numRuns: 20 },
    );
  });
}

test('reads an index with paths that are too long for the length field', async (t) => {
  for (const version of ['2', '4']) {
    const repo = await repository(t, { 'private.key': '', other: '' });
    const blob = (await repo.git('hash-object', '-w', 'other')).trim();
    const long = (name: string) => `${'folder/'.repeat(900)}${name}`;
    for (const name of ['a', 'b'])
      await repo.git('update-index', '--add', '--cacheinfo', `100644,${blob},${long(name)}`);
    await repo.git('update-index', '--index-version', version);
    t.is(gitTracking(repo.at('private.key')), 'untracked');
    await repo.git('add', 'private.key');
    t.is(gitTracking(repo.at('private.key')), 'tracked');
    t.is(gitTracking(repo.at('other')), 'untracked');
  }
});

test('distinguishes files of the same name in different folders', async (t) => {
  const repo = await repository(t, { 'private.key': '', 'door/private.key': '', 'door/door/private.key': '' });
  await repo.git('add', 'door/private.key');
  await agrees(t, repo, ['private.key', 'door/private.key', 'door/door/private.key'], 'only one of them was added');
});

test('reads a split index with removed, changed and added entries', async (t) => {
  const files = Array.from({ length: 200 }, (_, index) => `file-${index}`);
  const repo = await repository(t, Object.fromEntries(files.map((file) => [file, file])));
  await repo.git('config', 'splitIndex.maxPercentChange', '100');
  await repo.git('add', '.');
  await repo.git('update-index', '--split-index');
  await repo.git('rm', '--cached', '--quiet', 'file-3', 'file-64', 'file-199');
  await writeFile(repo.at('file-70'), 'changed');
  await writeFile(repo.at('new'), '');
  await repo.git('add', 'file-70', 'new');
  t.regex((await readFile(repo.at('.git/index'))).toString('latin1'), /link/);
  await agrees(t, repo, [...files, 'new'], 'split');
});

test('returns "unknown" for files below a collapsed folder of a sparse index', async (t) => {
  const repo = await repository(t, { 'in/private.key': '', 'out/deep/private.key': '', 'outside.key': '' });
  await repo.git('add', 'in', 'out');
  await repo.git('commit', '--quiet', '--message', 'all');
  await repo.git('sparse-checkout', 'set', '--cone', '--sparse-index', 'in');
  await mkdir(repo.at('out/deep'), { recursive: true });
  await writeFile(repo.at('out/deep/private.key'), '');
  t.is(gitTracking(repo.at('in/private.key')), 'tracked');
  t.is(gitTracking(repo.at('outside.key')), 'untracked');
  t.is(gitTracking(repo.at('out/deep/private.key')), 'unknown');
});

test('finds the index of a linked work tree, split or not, and of a submodule', async (t) => {
  const repo = await repository(t, { 'main/private.key': '', 'library/code': '' });
  await repo.gitIn('main', 'init', '--quiet');
  await repo.gitIn('main', 'commit', '--quiet', '--allow-empty', '--message', 'first');
  await repo.gitIn('library', 'init', '--quiet');
  await repo.gitIn('library', 'add', '.');
  await repo.gitIn('library', 'commit', '--quiet', '--message', 'first');
  await repo.gitIn('main', 'worktree', 'add', '--quiet', repo.at('linked'));
  await repo.gitIn('main', 'submodule', '--quiet', 'add', repo.at('library'), 'library');
  for (const [folder, ...prepare] of [
    ['linked'],
    ['linked', 'update-index', '--split-index'],
    ['main/library'],
  ] as const) {
    const key = `${folder}/private.key`;
    await writeFile(repo.at(key), '');
    if (prepare.length > 0) await repo.gitIn(folder, ...prepare);
    await repo.gitIn(folder, 'rm', '--cached', '--quiet', '--ignore-unmatch', 'private.key');
    t.is(gitTracking(repo.at(key)), 'untracked', key);
    await repo.gitIn(folder, 'add', '--force', 'private.key');
    t.is(gitTracking(repo.at(key)), 'tracked', key);
  }
  t.is(gitTracking(repo.at('main/private.key')), 'untracked');
});

test('follows symbolic links to the key', async (t) => {
  const repo = await repository(t, { 'repo/keys/private.key': '' });
  await repo.gitIn('repo', 'init', '--quiet');
  await repo.gitIn('repo', 'add', '.');
  await symlink(repo.at('repo/keys'), repo.at('shortcut'));
  await symlink(repo.at('repo/keys/private.key'), repo.at('elsewhere.key'));
  t.is(gitTracking(repo.at('shortcut/private.key')), 'tracked');
  t.is(gitTracking(repo.at('elsewhere.key')), 'tracked');
});

test('returns "untracked" outside a repository or without an index and skips an empty .git folder', async (t) => {
  const repo = await repository(t, { 'private.key': '' });
  t.is(gitTracking(repo.at('private.key')), 'untracked');
  await mkdir(repo.at('door/.git'), { recursive: true });
  await writeFile(repo.at('door/private.key'), '');
  await repo.git('add', '.');
  // Git ignores an empty .git folder and uses the repository above it.
  t.is(gitTracking(repo.at('door/private.key')), 'tracked');
  t.is(gitTracking('/'), 'untracked');
});

test('reads an index without a checksum (index.skipHash)', async (t) => {
  for (const [format, bytes] of [
    ['sha1', 20],
    ['sha256', 32],
  ] as const) {
    const repo = await repository(t, { 'private.key': '', other: '' }, `--object-format=${format}`);
    await repo.git('add', 'private.key');
    const index = await readFile(repo.at('.git/index'));
    await writeFile(repo.at('.git/index'), index.fill(0, index.length - bytes));
    await agrees(t, repo, ['private.key', 'other'], format);
  }
});

function withNumber(value: number, at: number): (content: Buffer) => Buffer {
  return (content) => {
    content.writeUInt32BE(value, at);
    return content;
  };
}

const damages: Readonly<Record<string, (repo: Repository) => Promise<unknown>>> = {
  'is truncated': ({ at }) => truncate(at('.git/index'), 50),
  'is empty': ({ at }) => truncate(at('.git/index'), 0),
  'has an incorrect checksum': async ({ at }) => {
    const index = await readFile(at('.git/index'));
    index[30] = (index[30] ?? 0) ^ 1;
    await writeFile(at('.git/index'), index);
  },
  'has an unknown version': ({ at }) => changeIndex(at('.git/index'), withNumber(5, 4)),
  'states more entries than it contains': ({ at }) => changeIndex(at('.git/index'), withNumber(0xffff_ffff, 8)),
  'has an unknown mandatory extension': ({ at }) =>
    changeIndex(at('.git/index'), (content) => Buffer.concat([content, Buffer.from('newx\0\0\0\0', 'latin1')])),
  'has an extension that is longer than the file': ({ at }) =>
    changeIndex(at('.git/index'), (content) => Buffer.concat([content, Buffer.from('TREE\xff\xff\xff\xff', 'latin1')])),
  'refers to a missing base': async ({ at, git }) => {
    await git('update-index', '--split-index');
    const [shared] = (await execa('ls', [at('.git')])).stdout.match(/sharedindex\.\w+/) ?? [];
    await execa('rm', [join(at('.git'), shared ?? '')]);
  },
  'is a pipe': async ({ at }) => {
    await execa('rm', [at('.git/index')]);
    await execa('mkfifo', [at('.git/index')]);
  },
  'is a folder': async ({ at }) => {
    await execa('rm', [at('.git/index')]);
    await mkdir(at('.git/index'));
  },
  'belongs to a .git file with a nonexistent path': async ({ at }) => {
    await execa('mv', [at('.git'), at('.gone')]);
    await writeFile(at('.git'), `gitdir: ${at('nowhere')}\n`);
  },
};
for (const [damage, apply] of Object.entries(damages)) {
  test(`returns "unknown" when the index ${damage}`, async (t) => {
    const repo = await repository(t, { 'private.key': '', other: '' });
    await repo.git('add', 'other');
    await apply(repo);
    t.is(gitTracking(repo.at('private.key')), 'unknown');
  });
}

test('property: a corrupted index never causes an exception or a hang', async (t) => {
  const repo = await repository(t, Object.fromEntries([...'abcdefgh'].map((name) => [`folder/${name}`, name])));
  await repo.git('add', '.');
  await repo.git('update-index', '--split-index');
  await repo.git('rm', '--cached', '--quiet', 'folder/b');
  await repo.git('update-index', '--index-version', '4');
  const original = await readFile(repo.at('.git/index'));
  const change = fc.record({ at: fc.nat({ max: original.length - 1 }), value: fc.nat({ max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      await writeFile(repo.at('.git/index'), original);
      await changeIndex(repo.at('.git/index'), (content) => {
        for (const { at, value } of changes) if (at < content.length) content[at] = value;
        return content;
      });
      t.true(['tracked', 'untracked', 'unknown'].includes(gitTracking(repo.at('folder/a'))));
    }),
    { numRuns: 1000 },
  );
});
