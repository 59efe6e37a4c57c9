/** Tests the warnings about private keys that git tracks. Every clone of such a repository could sign firmware. */
import { rm } from 'node:fs/promises';
import test, { type ExecutionContext } from 'ava';
import { execa } from 'execa';
import { builtSketch } from '../../support/built-sketch.ts';
import { runCommand } from '../../support/run-command.ts';
import type { TestFolder } from '../../support/test-folder.ts';

const tracked = /^warning: .*private\.key is tracked by git: .*run git rm --cached \S+ and replace the key pair/m;
const image = 'build/door.ino.bin';
const usesOfTheKey: readonly (readonly string[])[] = [
  ['sign', '--private-key', 'private.key', '--bin', image],
  ['pack', image],
  ['header', '--source', '.', '--out', 'build/core/Updater_Signing.h'],
  ['signing', '--mode', 'sign', '--privatekey', 'private.key', '--bin', image, '--out', `${image}.signed`],
];

async function repository(t: ExecutionContext): Promise<TestFolder> {
  const folder = await builtSketch(t, { '.gitignore': 'private.key\n' });
  await execa('git', ['init', '--quiet', folder.path]);
  return folder;
}

test('every signing command warns about a private key that git tracks', async (t) => {
  const folder = await repository(t);
  await execa('git', ['-C', folder.path, 'add', '--force', 'private.key']);
  for (const argv of usesOfTheKey.filter(([command]) => command !== 'header')) {
    const { exitCode, stderr } = await runCommand([...argv], { cwd: folder.path });
    t.is(exitCode, 0, stderr);
    t.regex(stderr, tracked, argv.join(' '));
  }
});

test('does not warn about an untracked private key', async (t) => {
  const folder = await repository(t);
  await folder.write('.gitignore', '');
  for (const argv of usesOfTheKey) {
    const { exitCode, stderr } = await runCommand([...argv], { cwd: folder.path });
    t.is(exitCode, 0, stderr);
    t.notRegex(stderr, /git/);
  }
});

test('header warns about a tracked private key only when it reads that key', async (t) => {
  const folder = await repository(t);
  await execa('git', ['-C', folder.path, 'add', '--force', 'private.key']);
  const argv = ['header', '--source', '.', '--out', 'build/core/Updater_Signing.h'];
  t.notRegex((await runCommand(argv, { cwd: folder.path })).stderr, /git/);
  await rm(folder.at('public.key'));
  t.regex((await runCommand(argv, { cwd: folder.path })).stderr, tracked);
});
